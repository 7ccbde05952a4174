/** What a daemon may leave behind on the machine and on its disk. */
import { existsSync, type Stats } from 'node:fs';
import { lstat, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Mount points in this namespace that have to do with a folder. */
export async function mountsOf(folder: string): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return text.split('\n').filter((line) => line.includes(folder));
}

/** Directories of cgroups below one that only the daemon under test uses. */
export async function cgroupsBelow(parent: string): Promise<string[]> {
  const roots = await directories('/sys/fs/cgroup');
  const found = await Promise.all(
    ['/sys/fs/cgroup', ...roots].map(async (root) =>
      (await directories(join(root, parent, 'buildkit'))).filter((dir) => existsSync(dir)),
    ),
  );
  return found.flat();
}

const directories = async (dir: string): Promise<string[]> =>
  (await readdir(dir, { withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(dir, entry.name));

/** Processes in such cgroups, as `pid command line`. */
export const processesBelow = (parent: string): Promise<string[]> =>
  processesWhere('cgroup', `${parent}/buildkit/`);

/** Processes that name a folder on their command line, as `pid command line`. */
export const processesNaming = (folder: string): Promise<string[]> => processesWhere('cmdline', folder);

async function processesWhere(file: string, word: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      if (!(await textOf(`/proc/${pid}/${file}`)).includes(word)) return [];
      return [`${pid} ${(await textOf(`/proc/${pid}/cmdline`)).replaceAll('\0', ' ').trim()}`];
    }),
  );
  return found.flat();
}

/** Empty for a process that is gone. */
const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** What stat(2) counts blocks in. */
const BLOCK = 512;

/**
 * Bytes that a state folder takes up where its disk usage is said to be: the trees of snapshots in blocks, blobs in
 * bytes. As in BuildKit, the two folders around the tree of a snapshot are left out.
 */
export async function stateBytes(root: string): Promise<number> {
  return (await treeBytes(root)) + (await blobBytes(root));
}

export async function treeBytes(root: string): Promise<number> {
  const trees = await Promise.all((await snapshotFolders(root)).map((dir) => sum(join(dir, 'fs'), blocks)));
  return trees.reduce((total, bytes) => total + bytes, 0);
}

export const blobBytes = (root: string): Promise<number> =>
  sum(join(root, 'content/blobs/sha256'), (stat) => (stat.isFile() ? stat.size : 0));

/** The folder of each snapshot of the overlayfs snapshotter. */
export const snapshotFolders = (root: string): Promise<string[]> =>
  directories(join(root, 'runc/snapshots/overlayfs/s'));

const blocks = (stat: Stats): number => stat.blocks * BLOCK;

/** What is removed meanwhile counts as 0. */
async function sum(dir: string, measure: (stat: Stats) => number): Promise<number> {
  const of = (path: string): Promise<number> => lstat(path).then(measure, whenGone(0));
  let total = await of(dir);
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(whenGone([]))) {
    const path = join(dir, entry.name);
    total += entry.isDirectory() ? await sum(path, measure) : await of(path);
  }
  return total;
}

const whenGone =
  <T>(value: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code !== 'ENOENT') throw error;
    return value;
  };

/** Takes away a parent that only the daemon under test used; what is below has to be empty. */
export async function removeCgroupParent(parent: string): Promise<void> {
  for (const root of ['/sys/fs/cgroup', ...(await directories('/sys/fs/cgroup'))]) {
    for (const dir of [join(root, parent, 'buildkit'), join(root, parent)]) {
      await rmdir(dir).catch(whenGone(undefined));
    }
  }
}
