import type { LlbDefinition, LlbMetadata } from '../../core/contracts/frontend.js';
import type { Digest } from '../../core/util/digest.js';
import { sha256 } from '../../core/util/digest.js';
import { newId } from '../../core/util/identity.js';
import { defaultPlatform, type Platform } from '../../core/util/platform.js';
import { marshalOp } from '../../proto/marshal.js';
import { type Cap, caps } from './caps.js';
import { emptyMetadata, mergeMetadata, union } from './constraints.js';
import { encodeSource } from './encode.js';
import { SourceMapCollector } from './source-map.js';
import type { State } from './state.js';
import type { MarshalContext, MarshalledOp, Output, Vertex } from './vertex.js';

export interface MarshalOptions {
  /** For steps that name none; default: this machine's. */
  readonly platform?: Platform | undefined;
  /** What the daemon can do; some steps are written differently for daemons that can less. */
  readonly caps?: ReadonlySet<string> | undefined;
  /** Set it to get the same bytes twice when local sources name no session. */
  readonly localUniqueId?: string | undefined;
}

/**
 * Writes the graph that ends in `state` as a definition: ops in an order in which inputs come first, then one that
 * names the result. The bytes are those that Go's llb package writes. The empty tree is an empty definition.
 */
export function marshal(state: State, options: MarshalOptions = {}): LlbDefinition {
  const metadata = new Map<Digest, LlbMetadata>();
  if (state.output === undefined) return { def: [], metadata };
  const writer = new DefinitionWriter(options, metadata);
  writer.visit(state.output.vertex);
  return writer.finish(state.output);
}

class DefinitionWriter {
  readonly #def: Uint8Array[] = [];
  readonly #metadata: Map<Digest, LlbMetadata>;
  readonly #written = new Set<Digest>();
  readonly #visited = new Set<Vertex>();
  readonly #sources = new SourceMapCollector();
  readonly #context: MarshalContext;

  constructor(options: MarshalOptions, metadata: Map<Digest, LlbMetadata>) {
    this.#metadata = metadata;
    this.#context = marshalContext(options);
  }

  /** Writes everything below `top`, inputs first. Graphs may be deep: no recursion. */
  visit(top: Vertex): void {
    const open = [{ vertex: top, left: inputsOf(top) }];
    for (let last = open.at(-1); last; last = open.at(-1)) {
      const below = last.left.pop();
      if (below) {
        if (!this.#visited.has(below)) open.push({ vertex: below, left: inputsOf(below) });
        continue;
      }
      open.pop();
      if (!this.#visited.has(last.vertex)) this.#write(last.vertex);
    }
  }

  #write(vertex: Vertex): void {
    this.#visited.add(vertex);
    const op = this.#context.marshal(vertex);
    this.#metadata.set(op.digest, mergeMetadata(this.#metadata.get(op.digest) ?? emptyMetadata, op.metadata));
    this.#sources.add(op.digest, op.locations);
    if (this.#written.has(op.digest)) return;
    this.#written.add(op.digest);
    this.#def.push(op.bytes);
  }

  finish(result: Output): LlbDefinition {
    const { digest } = this.#context.marshal(result.vertex);
    const terminal = marshalOp({ inputs: [{ digest, index: result.index }] });
    const last = sha256(terminal);
    const known = this.#metadata.get(last) ?? emptyMetadata;
    this.#metadata.set(last, { ...known, caps: union(known.caps, this.#terminalCaps()) });
    return {
      def: [...this.#def, terminal],
      metadata: this.#metadata,
      source: encodeSource(this.#sources),
    };
  }

  /** What the definition as a whole uses. */
  #terminalCaps(): Cap[] {
    const all = [...this.#metadata.values()];
    const needed: Cap[] = [caps.constraints, caps.platform];
    if (all.some(({ ignoreCache }) => ignoreCache)) needed.push(caps.metaIgnoreCache);
    if (all.some(({ description }) => Object.keys(description).length > 0)) needed.push(caps.metaDescription);
    if (all.some(({ exportCache }) => exportCache !== undefined)) needed.push(caps.metaExportCache);
    return needed;
  }
}

/** The last one first. */
const inputsOf = (vertex: Vertex): Vertex[] =>
  vertex
    .inputs()
    .map((input) => input.vertex)
    .reverse();

function marshalContext(options: MarshalOptions): MarshalContext {
  const done = new Map<Vertex, MarshalledOp>();
  const context: MarshalContext = {
    platform: options.platform ?? defaultPlatform(),
    caps: options.caps,
    localUniqueId: options.localUniqueId ?? newId(),
    marshal(vertex) {
      const known = done.get(vertex);
      if (known) return known;
      const op = vertex.marshal(context);
      done.set(vertex, op);
      return op;
    },
  };
  return context;
}
