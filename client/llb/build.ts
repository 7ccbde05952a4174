import { caps } from './caps.js';
import { type ConstraintOptions, type Constraints, constraints } from './constraints.js';
import { finishOp } from './op-message.js';
import type { State } from './state.js';
import { InputList, type MarshalContext, type MarshalledOp, type Output, type Vertex } from './vertex.js';

export interface BuildOptions extends ConstraintOptions {
  /** The file in the tree that holds the definition; default: `buildkit.llb.definition`. */
  readonly filename?: string;
}

/** What comes out of building a definition that an earlier step wrote into `from`. */
export function build(from: State, options: BuildOptions = {}): State {
  if (from.output === undefined) throw new Error('the empty tree holds no definition to build');
  const op = new BuildOp(from.output, options.filename, constraints(options, [caps.buildOpFilename]));
  return from.withOutput({ vertex: op, index: 0, platform: undefined });
}

/** The builder that reads LLB, and its input. BuildKit: solver/pb/const.go. */
const LLB_BUILDER = -1;
const DEFINITION_INPUT = 'buildkit.llb.definition';

class BuildOp implements Vertex {
  readonly #from: Output;
  readonly #filename: string | undefined;
  readonly #constraints: Constraints;

  constructor(from: Output, filename: string | undefined, own: Constraints) {
    this.#from = from;
    this.#filename = filename;
    this.#constraints = own;
  }

  inputs(): readonly Output[] {
    return [this.#from];
  }

  marshal(context: MarshalContext): MarshalledOp {
    const inputs = new InputList(context);
    const build = {
      builder: LLB_BUILDER,
      inputs: { [DEFINITION_INPUT]: { input: inputs.append(this.#from) } },
      attrs: this.#filename ? { 'llbbuild.filename': this.#filename } : {},
    };
    const platform = this.#constraints.platform ?? context.platform;
    return finishOp({ inputs: inputs.messages, build }, this.#constraints, [], platform);
  }
}
