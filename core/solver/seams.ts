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

/** Where effects run: the only asynchronous work of the solver. */
export interface EffectRunner {
  /** Starts `work` and calls `settled` exactly once, later, never before `run` has returned. */
  run<T>(
    name: string,
    work: (stop: Stop) => Promise<T>,
    settled: (outcome: Outcome<T>) => void,
  ): RunningEffect;
}
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };
export interface RunningEffect {
  /** Asks it to stop. It settles all the same, perhaps with a value. */
  abort(): void;
}

export const promiseRunner: EffectRunner = {
  run(_name, work, settled) {
    const stop = new StopCell();
    Promise.resolve()
      .then(() => {
        if (stop.aborted) stop.signal.throwIfAborted();
        return work(stop);
      })
      .then(
        (value) => settled({ ok: true, value }),
        (error: unknown) => settled({ ok: false, error }),
      );
    return stop;
  },
};

/** What a runner hands to the work, and keeps to stop it. */
export class StopCell implements Stop, RunningEffect {
  #controller: AbortController | undefined;
  #aborted = false;

  get aborted(): boolean {
    return this.#aborted;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }
}
