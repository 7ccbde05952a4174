/** What happens to a daemon in its life: restarts, kills, prunes, and processes and threads that end before their time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { processesBelow } from '../integration/support/leftovers.js';
import type { Random } from '../simulation/random.js';
import type { DaemonKeeper } from './daemon-keeper.js';
import type { Journal } from './journal.js';

export interface TroubleOptions {
  readonly keeper: DaemonKeeper;
  readonly journal: Journal;
  readonly random: Random;
  readonly cgroupParent: string;
  /** Mean of the time between two of them. */
  readonly everyMs: number;
  /** From then on the daemon lives, so that its growth can be seen. */
  readonly restartsUntil: number;
  readonly prune: (signal: AbortSignal) => Promise<void>;
  /** Held while the daemon is looked at. */
  readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Goes on until the signal; a daemon that does not come back is an error. */
export async function makeTrouble(options: TroubleOptions, signal: AbortSignal): Promise<void> {
  const { random, everyMs, exclusive } = options;
  while (!signal.aborted) {
    await sleep(-Math.log(1 - random.next()) * everyMs, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await exclusive(() => one(options, signal));
  }
}

async function one(options: TroubleOptions, signal: AbortSignal): Promise<void> {
  const { keeper, journal, random } = options;
  const mayRestart = performance.now() < options.restartsUntil;
  const kind = random.weighted([5, 2, 1, mayRestart ? 1 : 0, mayRestart ? 1 : 0])!;
  switch (kind) {
    case 0:
      return killStep(options);
    case 1: {
      using _ = journal.begin('killed thread');
      keeper.endThread();
      return;
    }
    case 2:
      return options.prune(signal);
    default: {
      const stop = kind === 3 ? 'SIGTERM' : 'SIGKILL';
      using _ = journal.begin(kind === 3 ? 'restart' : 'kill');
      await keeper.restart(stop);
    }
  }
}

/** A process of a step, or the runtime that looks after one. */
async function killStep({ journal, random, cgroupParent }: TroubleOptions): Promise<void> {
  const processes = await processesBelow(cgroupParent);
  if (processes.length === 0) return;
  using _ = journal.begin('killed step');
  try {
    process.kill(Number.parseInt(random.pick(processes), 10), 'SIGKILL');
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
