/** What the daemon holds at this moment: for operators who suspect a leak, and for the test that looks for one. */
import { readdir, readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { debug } from '../../proto/index.js';
import type { Workers } from '../contracts/index.js';

/** By name; counts unless the name says bytes. */
export type Counted = Readonly<Record<string, number>>;

/** `collect`: what is garbage is collected first, which stops everything for a moment. */
export async function resources(
  tables: Counted,
  workers: Workers,
  collect: boolean,
): Promise<debug.ResourcesResponse> {
  if (collect) await collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  const all: Counted = {
    ...tables,
    'open refs': workers.list.reduce((sum, { refs }) => sum + (refs.openHandles?.().length ?? 0), 0),
    descriptors: (await namesIn('/proc/self/fd')).length,
    threads: (await namesIn('/proc/self/task')).length,
    children: (await children()).length,
    'heap bytes': heapUsed,
    'external bytes': external,
    'resident bytes': rss,
  };
  return { resources: Object.entries(all).map(([name, value]) => ({ name, value })) };
}

/** Twice: what the first round lets go of (finalizers, weak maps) is garbage in the second. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let round = 0; round < 2; round++) {
    gc();
    await turn();
  }
}

async function children(): Promise<readonly string[]> {
  const lists = await Promise.all(
    (await namesIn('/proc/self/task')).map((thread) =>
      // A thread may end meanwhile, and its children are then another's.
      readFile(`/proc/self/task/${thread}/children`, 'utf8').catch(() => ''),
    ),
  );
  return lists.flatMap((list) => list.split(' ').filter((pid) => pid !== ''));
}

/** Without /proc there is nothing to count. */
const namesIn = (dir: string): Promise<readonly string[]> => readdir(dir).catch(() => []);
