/**
 * The graph under a {@link State}: vertices know their inputs and write themselves as ops. Marshalling is a pure
 * function of the graph and the context, so one vertex may be written for several platforms.
 */
import type { LlbMetadata } from '../../core/contracts/frontend.js';
import type { Digest } from '../../core/util/digest.js';
import type { Platform } from '../../core/util/platform.js';
import type { SourceLocation } from './source-map.js';

export interface Vertex {
  /** In the order in which a definition lists them. */
  inputs(): readonly Output[];
  marshal(context: MarshalContext): MarshalledOp;
}

/** One output of a vertex, and the input of others. Inputs are told apart by identity. */
export interface Output {
  readonly vertex: Vertex;
  readonly index: number;
  readonly platform: Platform | undefined;
}

export interface MarshalledOp {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly metadata: LlbMetadata;
  readonly locations: readonly SourceLocation[];
}

export interface MarshalContext {
  /** For ops that name none. */
  readonly platform: Platform;
  /** What the daemon can do, when that is known. */
  readonly caps: ReadonlySet<string> | undefined;
  /** Keeps local sources of one definition apart from those of others. */
  readonly localUniqueId: string;
  /** Marshals a vertex once. */
  marshal(vertex: Vertex): MarshalledOp;
}

/**
 * An output that is decided when the definition is written, once; for sources whose options grow until then.
 * States on it get no platform from it.
 */
export function deferredOutput(decide: () => Output): Output {
  let decided: Output | undefined;
  const output = (): Output => {
    decided ??= decide();
    return decided;
  };
  return {
    get vertex() {
      return output().vertex;
    },
    get index() {
      return output().index;
    },
    platform: undefined,
  };
}

interface InputMessage {
  readonly digest: Digest;
  readonly index: number;
}

/** Collects the inputs of one op; equal inputs share an index. */
export class InputList {
  readonly #inputs: InputMessage[] = [];
  readonly #context: MarshalContext;

  constructor(context: MarshalContext) {
    this.#context = context;
  }

  add(output: Output): number {
    const { digest } = this.#context.marshal(output.vertex);
    const known = this.#inputs.findIndex((input) => input.digest === digest && input.index === output.index);
    return known >= 0 ? known : this.append(output);
  }

  /** Adds an input even if it is there already. */
  append(output: Output): number {
    const { digest } = this.#context.marshal(output.vertex);
    return this.#inputs.push({ digest, index: output.index }) - 1;
  }

  get length(): number {
    return this.#inputs.length;
  }

  get messages(): readonly InputMessage[] {
    return this.#inputs;
  }
}
