/** What a daemon that builds nothing holds and weighs, seen from itself and from the machine. */
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { connectDaemon } from '../../client/grpc/connect.js';
import { control } from '../../proto/index.js';
import {
  blobBytes,
  cgroupsBelow,
  mountsOf,
  processesBelow,
  treeBytes,
} from '../integration/support/leftovers.js';
import type { DaemonKeeper } from './daemon-keeper.js';

export type Sample = Readonly<Record<Quantity, number>>;

/** Without builds there is none of these. */
export const absent = [
  'builds',
  'tasks',
  'sessions',
  'open refs',
  'containers',
  'cgroups',
  'connections',
] as const;

export const quantities = [
  'life',
  ...absent,
  'children',
  'descriptors',
  'threads',
  'mounts',
  'network namespaces',
  'heap',
  'external',
  'rss',
  'peak rss',
  'records',
  'history',
  'du',
  'trees',
  'blobs',
  'metadata',
] as const;
export type Quantity = (typeof quantities)[number];

/** In bytes; the others are counts. */
export const bytes: ReadonlySet<Quantity> = new Set([
  'heap',
  'external',
  'rss',
  'peak rss',
  'du',
  'trees',
  'blobs',
  'metadata',
]);

const signal = new AbortController().signal;

/** Collects its garbage first, that of builds and that of the heap. */
export async function sample(keeper: DaemonKeeper, cgroupParent: string): Promise<Sample> {
  const { pid, root, address } = keeper.process;
  await keeper.ask('/debug/gc');
  await using api = await connectDaemon(address);
  const { resources } = await api.control.resources({ collect: true }, { signal });
  const told = (name: string): number => resources.find((each) => each.name === name)?.value ?? Number.NaN;
  const { record } = await api.control.diskUsage(control.DiskUsageRequest.create(), { signal });
  let history = 0;
  for await (const _ of api.control.history!.listen({ EarlyExit: true }, { signal })) history++;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return {
    life: keeper.lives,
    builds: told('builds'),
    tasks: told('tasks'),
    sessions: told('sessions'),
    'open refs': told('open refs'),
    containers: (await processesBelow(cgroupParent)).length,
    cgroups: (await cgroupsBelow(cgroupParent)).length,
    children: told('children'),
    connections: await connectionsOf(pid),
    descriptors: told('descriptors'),
    threads: told('threads'),
    mounts: await mountsIn(pid, root),
    'network namespaces': await networkNamespaces(pid),
    heap: told('heap bytes'),
    external: told('external bytes'),
    rss: told('resident bytes'),
    'peak rss': Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024,
    records: record.length,
    history,
    du: record.reduce((sum, { Size }) => sum + Size, 0),
    trees: await treeBytes(root),
    blobs: await blobBytes(root),
    metadata: (await stat(`${root}/metadata.mdb`)).size,
  };
}

/** Below the folder, in all mount namespaces of the process's threads and in this one. */
async function mountsIn(pid: number, root: string): Promise<number> {
  const namespaces = new Map<string, number>();
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const at = `/proc/${pid}/task/${thread}`;
    // A thread may end meanwhile.
    const namespace = await readlink(`${at}/ns/mnt`).catch(() => '');
    if (namespaces.has(namespace)) continue;
    const text = await readFile(`${at}/mountinfo`, 'utf8').catch(() => '');
    namespaces.set(namespace, text.split('\n').filter((line) => line.includes(root)).length);
  }
  const inside = [...namespaces.values()].reduce((sum, count) => sum + count, 0);
  return inside + (await mountsOf(root)).length;
}

/** That the process holds open. */
async function networkNamespaces(pid: number): Promise<number> {
  return (await descriptorsOf(pid)).filter((target) => target.startsWith('net:[')).length;
}

/** To registries. They are kept for the next request for some seconds; those of clients are on a unix socket. */
async function connectionsOf(pid: number): Promise<number> {
  const own = new Set(await descriptorsOf(pid));
  const [, ...rows] = (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).trim().split('\n');
  // The tenth column is the inode.
  return rows.filter((row) => own.has(`socket:[${row.trim().split(/\s+/)[9]}]`)).length;
}

async function descriptorsOf(pid: number): Promise<readonly string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  return Promise.all(names.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
}
