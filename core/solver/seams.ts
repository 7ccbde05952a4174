/** What tests and simulations replace: time, the order of turns, and how effects run. */
import type { Task } from './task.js';

export interface Clock {
  /** Milliseconds since the epoch, with fraction. */
  now(): number;
}

export const systemClock: Clock = { now: () => performance.timeOrigin + performance.now() };

/** Which dirty task has the next turn. Nobody adds a task that is in it. */
export interface TurnQueue {
  add(task: Task): void;
  take(): Task | undefined;
  readonly size: number;
}

/** Calls `drain` later, on another macrotask when `yielding`. A simulation keeps it and takes turns by hand. */
export type Schedule = (drain: () => void, yielding: boolean) => void;

export const nodeSchedule: Schedule = (drain, yielding) => {
  if (yielding) setImmediate(drain);
  else void Promise.resolve().then(drain);
};

/** How an effect hears that it should stop. */
export interface Stop {
  /** Made when somebody first looks: most steps never do, and a signal costs more than the rest of an effect. */
  readonly signal: AbortSignal;
  readonly aborted: boolean;
}

/** What a runner runs. */
export interface Work<T = unknown> extends Stop {
  /** For people. */
  readonly label: string;
  work(): Promise<T>;
}

/** Where effects run: the only asynchronous work of the solver. */
export interface EffectRunner {
  /**
   * Starts `work`, unless it is aborted by then, and calls `settled` exactly once, later, never before `run` has
   * returned.
   */
  run<W extends Work>(work: W, settled: (work: W, outcome: Outcome) => void): void;
}
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

export const promiseRunner: EffectRunner = {
  run(work, settled) {
    void soon.then(() => {
      // Not returned: nobody waits for it, and a promise in a promise costs as much again as the whole of this.
      void begin(work).then(
        (value) => settled(work, { ok: true, value }),
        (error: unknown) => settled(work, { ok: false, error }),
      );
    });
  },
};

const soon = Promise.resolve();

/** A throw is a rejection. */
export function begin(work: Work): Promise<unknown> {
  try {
    if (work.aborted) work.signal.throwIfAborted();
    return work.work();
  } catch (error) {
    return Promise.reject(error);
  }
}
