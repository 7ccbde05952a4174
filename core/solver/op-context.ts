/** What an op may use while one of its calls runs. Whatever it solved meanwhile is let go when the call settles. */
import type { SessionGroup } from '../contracts/session.js';
import type { Edge, OpContext, Result } from './op.js';
import { SubBuild } from './ranks.js';
import type { Slot } from './slots.js';
import type { SubBuilds } from './subbuild.js';
import type { Task } from './task.js';

export class OpContexts {
  readonly #builds: SubBuilds;

  constructor(builds: SubBuilds) {
    this.#builds = builds;
  }

  async use<T>(
    task: Task,
    sessions: SessionGroup,
    signal: AbortSignal,
    slot: Slot | undefined,
    work: (context: OpContext) => Promise<T>,
  ): Promise<T> {
    const owner = new SubBuild(task);
    const build = async (edge: Edge): Promise<Result | undefined> => {
      const solve = (): Promise<Result | undefined> => this.#builds.build(owner, edge, signal);
      return slot ? await slot.without(solve, signal) : await solve();
    };
    try {
      return await work({ signal, progress: task.log, sessions, build });
    } finally {
      this.#builds.release(owner);
    }
  }
}
