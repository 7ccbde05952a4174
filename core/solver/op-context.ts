/** What an op may use while one of its calls runs. Whatever it solved meanwhile is let go when the call settles. */
import type { Progress } from '../contracts/progress.js';
import type { SessionGroup } from '../contracts/session.js';
import type { Edge, OpContext, Result } from './op.js';
import { SubBuild } from './ranks.js';
import type { Stop } from './seams.js';
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
    stop: Stop,
    slot: Slot | undefined,
    work: (context: OpContext) => Promise<T>,
  ): Promise<T> {
    const context = new StepContext(task, sessions, stop, slot, this.#builds);
    try {
      return await work(context);
    } finally {
      context.release();
    }
  }
}

/** Makes things when they are asked for: most calls look at nothing here. */
class StepContext implements OpContext {
  readonly sessions: SessionGroup;
  readonly #task: Task;
  readonly #stop: Stop;
  readonly #slot: Slot | undefined;
  readonly #builds: SubBuilds;
  #owner: SubBuild | undefined;

  constructor(task: Task, sessions: SessionGroup, stop: Stop, slot: Slot | undefined, builds: SubBuilds) {
    this.sessions = sessions;
    this.#task = task;
    this.#stop = stop;
    this.#slot = slot;
    this.#builds = builds;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get progress(): Progress {
    return this.#task.log;
  }

  async build(edge: Edge): Promise<Result | undefined> {
    this.#owner ??= new SubBuild(this.#task);
    const owner = this.#owner;
    const solve = (): Promise<Result | undefined> => this.#builds.build(owner, edge, this.signal);
    return this.#slot ? await this.#slot.without(solve, this.signal) : await solve();
  }

  keep(held: AsyncDisposable): void {
    this.#task.keep(held);
  }

  release(): void {
    if (this.#owner) this.#builds.release(this.#owner);
  }
}
