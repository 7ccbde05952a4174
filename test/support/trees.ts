/** Small trees on disk, made from and told as plain objects. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface TreeSpec {
  /** Content of a file; `{ link }` a symbolic link, `{ same }` a hard link to a path of this tree; an object a directory. */
  readonly [name: string]: string | TreeSpec | { readonly link: string } | { readonly same: string };
}

export const makeTempDir = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'buildkit-trees-'));

export function makeTree(dir: string, spec: TreeSpec, root = dir): string {
  fs.mkdirSync(dir, { recursive: true });
  for (const [name, value] of Object.entries(spec)) {
    const at = path.join(dir, name);
    if (typeof value === 'string') fs.writeFileSync(at, value, { mode: 0o644 });
    else if ('link' in value && typeof value.link === 'string') fs.symlinkSync(value.link, at);
    else if ('same' in value && typeof value.same === 'string') fs.linkSync(path.join(root, value.same), at);
    else makeTree(at, value as TreeSpec, root);
  }
  return dir;
}

/** Every path with `dir`, `-> target`, `whiteout`, or its content. */
export function tellTree(dir: string, prefix = ''): Readonly<Record<string, string>> {
  const told: Record<string, string> = {};
  for (const entry of fs
    .readdirSync(dir, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const at = path.join(dir, entry.name);
    const name = prefix + entry.name;
    if (entry.isDirectory()) Object.assign(told, { [name]: 'dir' }, tellTree(at, `${name}/`));
    else if (entry.isSymbolicLink()) told[name] = `-> ${fs.readlinkSync(at)}`;
    else if (entry.isFile()) told[name] = fs.readFileSync(at, 'utf8');
    else told[name] = entry.isCharacterDevice() && fs.lstatSync(at).rdev === 0 ? 'whiteout' : 'special';
  }
  return told;
}
