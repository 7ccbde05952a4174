/** What tests and simulations replace: time, the order of turns, and how effects run. */
import type { Task } from './task.js';

export interface Clock {
  /** Milliseconds since the epoch, with fraction. */
  now(): number;
}

export const systemClock: Clock = { now: () => performance.timeOrigin + performance.now() };

/** Which dirty task has the next turn. Never holds a task twice. */
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
  run<W extends Work>(work: W, settled: (work: W, outcome: Outcome<unknown>) => void): void;
}
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

export const promiseRunner: EffectRunner = {
  run(work, settled) {
    void outcomeOf(work).then((outcome) => settled(work, outcome));
  },
};

async function outcomeOf(work: Work): Promise<Outcome<unknown>> {
  await undefined;
  try {
    if (work.aborted) work.signal.throwIfAborted();
    return { ok: true, value: await work.work() };
  } catch (error) {
    return { ok: false, error };
  }
}
