/**
 * What the answers must be, found without a solver: the value of a step is its op applied to what it reads. Values
 * are names; two steps have the same value only if one may stand for the other.
 */
import type { Port } from '../../bench/shapes.js';
import type { OpSpec, Scenario } from './scenario.js';

export class Oracle {
  readonly #scenario: Scenario;
  readonly #values: string[] = [];
  readonly #breaking: ReadonlySet<number>[] = [];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    scenario.steps.forEach(({ op: number, inputs }, step) => {
      const op = scenario.ops[number]!;
      const below = op.builds ? [...inputs, op.builds] : inputs;
      const broken = op.fails ? [number] : [];
      this.#breaking[step] = new Set([
        ...broken,
        ...below.flatMap((port) => [...this.#breaking[port.step]!]),
      ]);
      this.#values[step] = applied(
        number,
        inputs.map((input, i) => readAs(op, i, this.value(input), input.selector)),
        op.builds && this.value(op.builds),
      );
    });
  }

  value({ step, output }: Port): string {
    return outputOf(this.opOf(step), this.#values[step]!, output);
  }

  /** The same for steps that may stand for each other. */
  class(step: number): string {
    return this.#values[step]!;
  }

  opOf(step: number): OpSpec {
    return this.#scenario.ops[this.#scenario.steps[step]!.op]!;
  }

  /** Ops that fail, or may, before there is a value. */
  breaking(step: number): ReadonlySet<number> {
    return this.#breaking[step]!;
  }
}

export const applied = (op: number, read: readonly string[], built: string | undefined): string =>
  short(`${op}(${read.join()})${built ?? ''}`);

export const outputOf = (op: OpSpec, value: string, output: number): string =>
  op.outputs > 1 ? `${value}#${output}` : value;

/** What an op reads of an input. Many values have the same content. */
export const readAs = (op: OpSpec, input: number, value: string, selector: string): string =>
  op.inputs[input] === 'content' ? contentOf(value, selector) : `${value}${selector}`;

export const contentOf = (value: string, selector: string): string => `c${hash(value) % 5}${selector}`;

const short = (text: string): string => hash(text).toString(36);

/** 53 bits (cyrb53): no two of the few names in a scenario share one. */
function hash(text: string): number {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    high = Math.imul(high ^ text.charCodeAt(i), 0x9e3779b1);
    low = Math.imul(low ^ text.charCodeAt(i), 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return 2 ** 32 * (high & 0x1fffff) + (low >>> 0);
}
