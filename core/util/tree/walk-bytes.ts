/**
 * Visits everything below a directory of a build: names that are no UTF-8, and trees deeper than any path can say. Past
 * a certain length paths start at a descriptor of a directory on the way.
 */
import fs from 'node:fs';

/** Bytes; a path of the kernel has 4096, and a name 255. */
const LONG = 2048;
const slash = Buffer.from('/');

interface OpenDir {
  readonly dir: Buffer;
  readonly entries: Iterator<ByteEntry>;
  readonly fd: number | undefined;
}
export type ByteEntry = Omit<fs.Dirent, 'name'> & { readonly name: Buffer };

/** Parents before their children. A path is good until the next one is asked for. */
export function* walkBytes(
  root: string,
): Generator<{ readonly path: Buffer; readonly entry: ByteEntry }, void, undefined> {
  const open: OpenDir[] = [list(Buffer.from(root), undefined)];
  try {
    for (let at = open.at(-1); at; at = open.at(-1)) {
      const next = at.entries.next();
      if (next.done) {
        close(open.pop()!);
        continue;
      }
      const entry = next.value;
      const path = Buffer.concat([at.dir, slash, entry.name]);
      yield { path, entry };
      if (entry.isDirectory()) open.push(path.length < LONG ? list(path, undefined) : listByDescriptor(path));
    }
  } finally {
    for (const dir of open) close(dir);
  }
}

function listByDescriptor(path: Buffer): OpenDir {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
  const fd = fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  return list(Buffer.from(`/proc/self/fd/${fd}`), fd);
}

function list(dir: Buffer, fd: number | undefined): OpenDir {
  const found = fs.readdirSync(dir, { withFileTypes: true, encoding: 'buffer' });
  return { dir, entries: (found as unknown as readonly ByteEntry[]).values(), fd };
}

function close({ fd }: OpenDir): void {
  if (fd !== undefined) fs.closeSync(fd);
}
