import { caps } from './caps.js';
import { type ConstraintOptions, type Constraints, constraints } from './constraints.js';
import { finishOp, NONE } from './op-message.js';
import { State } from './state.js';
import { InputList, type MarshalContext, type MarshalledOp, type Output, type Vertex } from './vertex.js';

/**
 * Lays trees over each other, later ones on top, without copying. Empty trees change nothing and are left out.
 * Settings come from the first tree that counts.
 */
export function merge(states: readonly State[], options: ConstraintOptions = {}): State {
  const layers = states.filter((state) => state.output !== undefined);
  const [first] = layers;
  if (first === undefined) return new State(undefined);
  if (layers.length === 1) return first;
  const op = new MergeOp(
    layers.map((state) => state.output!),
    constraints(options, [caps.mergeOp]),
  );
  return first.withOutput({ vertex: op, index: 0, platform: undefined });
}

/** What `upper` changed on `lower`: additions and deletions, for {@link merge}. */
export function diff(lower: State, upper: State, options: ConstraintOptions = {}): State {
  if (lower.output === undefined) return upper.output === undefined ? new State(undefined) : upper;
  const op = new DiffOp(lower.output, upper.output, constraints(options, [caps.diffOp]));
  return lower.withOutput({ vertex: op, index: 0, platform: undefined });
}

class MergeOp implements Vertex {
  readonly #layers: readonly Output[];
  readonly #constraints: Constraints;

  constructor(layers: readonly Output[], own: Constraints) {
    this.#layers = layers;
    this.#constraints = own;
  }

  inputs(): readonly Output[] {
    return this.#layers;
  }

  marshal(context: MarshalContext): MarshalledOp {
    const inputs = new InputList(context);
    const merge = { inputs: this.#layers.map((layer) => ({ input: inputs.append(layer) })) };
    return finishOp({ inputs: inputs.messages, merge }, this.#constraints, [], undefined);
  }
}

class DiffOp implements Vertex {
  readonly #lower: Output;
  readonly #upper: Output | undefined;
  readonly #constraints: Constraints;

  constructor(lower: Output, upper: Output | undefined, own: Constraints) {
    this.#lower = lower;
    this.#upper = upper;
    this.#constraints = own;
  }

  inputs(): readonly Output[] {
    return this.#upper ? [this.#lower, this.#upper] : [this.#lower];
  }

  marshal(context: MarshalContext): MarshalledOp {
    const inputs = new InputList(context);
    const lower = { input: inputs.append(this.#lower) };
    const upper = { input: this.#upper ? inputs.append(this.#upper) : NONE };
    return finishOp({ inputs: inputs.messages, diff: { lower, upper } }, this.#constraints, [], undefined);
  }
}
