/** What a daemon holds, seen from itself and from the machine. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Daemon } from '../../../client/daemon.js';
import type { DaemonProcess } from '../support/daemon.js';
import { cgroupsBelow, processesBelow, snapshotFolders } from '../support/leftovers.js';

export interface Holdings {
  /** Of which there must be none, or as many as at first. */
  readonly counts: Readonly<Record<string, number>>;
  readonly heapBytes: number;
  /** For messages: what the descriptors are. */
  readonly descriptors: readonly string[];
  readonly files: readonly string[];
}

export async function holdings(
  process: DaemonProcess,
  api: Daemon,
  temporary: string,
  parent: string,
): Promise<Holdings> {
  const { signal } = new AbortController();
  const { resources } = await api.control.resources({ collect: true }, { signal });
  const told = Object.fromEntries(resources.map(({ name, value }) => [name, value]));
  const files = await filesOf(process.root, temporary);
  const descriptors = await targetsOf(`/proc/${process.pid}/fd`);
  return {
    counts: {
      builds: told.builds!,
      tasks: told.tasks!,
      sessions: told.sessions!,
      'open refs': told['open refs']!,
      children: told.children!,
      mounts: await mountsIn(process),
      namespaces: descriptors.filter((target) => /^(net|mnt|pid):\[/.test(target)).length,
      cgroups: (await cgroupsBelow(parent)).length,
      processes: (await processesBelow(parent)).length,
      snapshots: (await snapshotFolders(process.root)).length,
      files: files.length,
    },
    heapBytes: told['heap bytes']!,
    descriptors,
    files,
  };
}

/** Mount points below its folder, in whichever namespaces its threads have. */
async function mountsIn({ pid, root }: DaemonProcess): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const byNamespace = new Map<string, number>();
  for (const thread of threads) {
    const at = `/proc/${pid}/task/${thread}`;
    const namespace = await readlink(`${at}/ns/mnt`).catch(() => undefined);
    if (namespace === undefined || byNamespace.has(namespace)) continue;
    const text = await readFile(`${at}/mountinfo`, 'utf8').catch(() => '');
    byNamespace.set(namespace, text.split('\n').filter((line) => line.includes(root)).length);
  }
  return [...byNamespace.values()].reduce((sum, count) => sum + count, 0);
}

const targetsOf = async (dir: string): Promise<string[]> =>
  (await Promise.all((await readdir(dir)).map((fd) => readlink(`${dir}/${fd}`).catch(() => '')))).sort();

/** All files but snapshots, and blobs, which records of builds keep: what begins and ends with a build must be gone. */
async function filesOf(...folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const look = async (dir: string): Promise<void> => {
    for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
      const path = `${dir}/${entry.name}`;
      if (path.endsWith('/snapshots/overlayfs/s') || path.endsWith('/content/blobs')) continue;
      found.push(path);
      if (entry.isDirectory()) await look(path);
    }
  };
  for (const folder of folders) await look(folder);
  return found;
}
