/**
 * Effects that only move when the simulation says so. Each goes through three waits: to start, inside its work
 * (`pause`, any number of times), and to report how it ended. An abort ends none of them by itself: how and when an
 * effect reacts is for the simulation to choose.
 */
import { begin, type EffectRunner, type Outcome, type Work } from '../../core/solver/seams.js';
import { deferred } from '../../core/util/deferred.js';
import type { Random } from './random.js';

interface Move {
  readonly name: string;
  readonly make: () => void;
}

export class SimEffects implements EffectRunner {
  readonly #random: Random;
  readonly #deaf: number;
  readonly #moves: Move[] = [];
  #unsettled = 0;
  #started = 0;

  constructor(random: Random, deaf: number) {
    this.#random = random;
    this.#deaf = deaf;
  }

  /** Effects that were started and have not reported. */
  get unsettled(): number {
    return this.#unsettled;
  }

  get started(): number {
    return this.#started;
  }

  /** What can be moved now. */
  get waiting(): number {
    return this.#moves.length;
  }

  /** Moves any of them; answers what it was. */
  move(): string {
    const at = this.#random.int(this.#moves.length);
    const [move] = this.#moves.splice(at, 1);
    move!.make();
    return move!.name;
  }

  /** Settles when it is this effect's turn to go on. */
  async pause(name: string, signal: AbortSignal): Promise<void> {
    const gate = deferred<void>();
    const make = (): void => {
      if (signal.aborted && !this.#random.chance(this.#deaf)) gate.reject(signal.reason);
      else gate.resolve();
    };
    this.#moves.push({ name, make });
    await gate.promise;
  }

  run<W extends Work>(work: W, settled: (work: W, outcome: Outcome) => void): void {
    const name = work.label;
    const settle = (outcome: Outcome): void => {
      const make = (): void => {
        this.#unsettled--;
        settled(work, outcome);
      };
      this.#moves.push({ name: `${name} ${outcome.ok ? 'is done' : 'has failed'}`, make });
    };
    const start = (): void => {
      begin(work).then(
        (value) => settle({ ok: true, value }),
        (error) => settle({ ok: false, error }),
      );
    };
    this.#started++;
    this.#unsettled++;
    this.#moves.push({ name: `${name} starts`, make: start });
  }
}
