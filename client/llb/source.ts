import type { Cap } from './caps.js';
import { caps } from './caps.js';
import { type ConstraintOptions, type Constraints, constraints } from './constraints.js';
import { finishOp } from './op-message.js';
import { State } from './state.js';
import type { MarshalContext, MarshalledOp, Output, Vertex } from './vertex.js';

/** A tree from outside, named by an identifier of the form `scheme://rest` and attributes. */
export function source(
  identifier: string,
  attrs: Readonly<Record<string, string>>,
  recorded: Iterable<Cap>,
  options: ConstraintOptions = {},
): State {
  const own = constraints(options, recorded);
  const vertex = new SourceOp(identifier, attrs, own);
  const output: Output = { vertex, index: 0, platform: own.platform };
  return new State(output);
}

class SourceOp implements Vertex {
  readonly #identifier: string;
  readonly #attrs: Readonly<Record<string, string>>;
  readonly #constraints: Constraints;

  constructor(identifier: string, attrs: Readonly<Record<string, string>>, own: Constraints) {
    this.#identifier = identifier;
    this.#attrs = attrs;
    this.#constraints = own;
  }

  inputs(): readonly Output[] {
    return [];
  }

  marshal(context: MarshalContext): MarshalledOp {
    const unique = this.#identifier.startsWith('local://') && !('local.session' in this.#attrs);
    const attrs = unique ? { 'local.unique': context.localUniqueId, ...this.#attrs } : { ...this.#attrs };
    const platform = isPlatformSpecific(this.#identifier)
      ? (this.#constraints.platform ?? context.platform)
      : undefined;
    const op = { source: { identifier: this.#identifier, attrs } };
    return finishOp(op, this.#constraints, unique ? [caps.sourceLocalUnique] : [], platform);
  }
}

const isPlatformSpecific = (identifier: string): boolean =>
  identifier.startsWith('docker-image://') || identifier.startsWith('oci-layout://');
