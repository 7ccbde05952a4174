/**
 * Which stored keys one output of a task may still turn out to be. Every input leads to candidates; a candidate
 * that all inputs lead to is a match. All counters are kept, never recomputed: a step may have thousands of inputs.
 *
 * Invariants: (1) `open(i)` = candidates of input i that are no match yet; (2) `lacking` = inputs with none open;
 * (3) `dead(s)` = inputs that have none open and nothing more to learn at stage s: one is enough to rule out any
 * further match. BuildKit: solver/edge.go probeCache, recalcCurrentState.
 */
import { getOrAdd } from '../util/get-or-add.js';
import type { KeyId } from './keys/key-id.js';
import { type Stage, stages } from './stage.js';

export class Matching {
  /** How many keys of each input were looked up. */
  readonly probed: number[];
  /** Inputs whose content key was looked up. */
  readonly contentProbed: boolean[];
  readonly #inputs: number;
  readonly #open: number[];
  /** The last stage at which each input has nothing more to learn. */
  readonly #known: Stage[];
  readonly #dead = [0, 0, 0];
  /** Candidate -> the inputs that lead to it. Made for the first one: most steps that run had none. */
  #reachedBy: Map<KeyId, Set<number>> | undefined;
  #lacking: number;
  #matches = 0;

  constructor(inputs: number) {
    this.#inputs = inputs;
    this.probed = new Array<number>(inputs).fill(0);
    this.contentProbed = new Array<boolean>(inputs).fill(false);
    this.#open = new Array<number>(inputs).fill(0);
    this.#known = new Array<Stage>(inputs).fill(stages.none);
    this.#lacking = inputs;
  }

  get lacking(): number {
    return this.#lacking;
  }

  /** Each match changes what is open for every input. */
  get matches(): number {
    return this.#matches;
  }

  open(input: number): number {
    return this.#open[input] ?? 0;
  }

  dead(stage: Stage): number {
    return this.#dead[stage] ?? 0;
  }

  /** True when `key` became a match. */
  add(input: number, key: KeyId): boolean {
    this.#reachedBy ??= new Map();
    const reachedBy = getOrAdd(this.#reachedBy, key, () => new Set<number>());
    if (reachedBy.has(input)) return false;
    reachedBy.add(input);
    this.#setOpen(input, this.open(input) + 1);
    if (reachedBy.size < this.#inputs) return false;
    this.#matches++;
    for (let i = 0; i < this.#inputs; i++) this.#setOpen(i, this.open(i) - 1);
    return true;
  }

  /** Input `input` has nothing more to learn up to `stage`. */
  know(input: number, stage: Stage): void {
    const before = this.#known[input] ?? 0;
    if (stage <= before) return;
    this.#known[input] = stage;
    if (this.open(input) === 0) this.#count(before + 1, stage, 1);
  }

  #setOpen(input: number, open: number): void {
    const before = this.open(input);
    this.#open[input] = open;
    if ((before === 0) === (open === 0)) return;
    const change = open === 0 ? 1 : -1;
    this.#lacking += change;
    this.#count(stages.definition, this.#known[input] ?? 0, change);
  }

  #count(from: number, to: number, change: number): void {
    for (let stage = from; stage <= to; stage++) this.#dead[stage]! += change;
  }
}
