import { BuildError } from '../../core/contracts/errors.js';
import type { LlbDefinition } from '../../core/contracts/frontend.js';
import { type Digest, sha256 } from '../../core/util/digest.js';
import { definitionFromProto } from '../../proto/definition.js';
import { pb } from '../../proto/index.js';
import { emptyMetadata } from './constraints.js';
import type { SourceLocation, SourceMap } from './source-map.js';
import { State } from './state.js';
import type { MarshalledOp, Output, Vertex } from './vertex.js';

/**
 * Continues on a definition that came from elsewhere (a gateway ref, an input): its ops are taken over byte by byte.
 * Settings are not part of a definition; see {@link State.withImageConfig}.
 */
export function fromDefinition(definition: LlbDefinition): State {
  const last = definition.def.at(-1);
  if (last === undefined) return new State(undefined);
  const graph = new ForeignGraph(definition);
  const [result] = pb.Op.decode(last).inputs;
  if (result === undefined) throw invalidDefinition('its last op names no result');
  return new State(graph.output(result));
}

/** The ops of a definition as vertices, one for each digest. */
class ForeignGraph {
  readonly #ops = new Map<string, Uint8Array>();
  readonly #vertices = new Map<string, Vertex>();
  readonly #definition: LlbDefinition;
  readonly #locations: ReadonlyMap<string, readonly SourceLocation[]>;

  constructor(definition: LlbDefinition) {
    this.#definition = definition;
    this.#locations = locationsOf(definition);
    for (const bytes of definition.def) this.#ops.set(sha256(bytes), bytes);
  }

  output({ digest, index }: { readonly digest: string; readonly index: number }): Output {
    return { vertex: this.#vertex(digest), index, platform: undefined };
  }

  #vertex(digest: string): Vertex {
    const known = this.#vertices.get(digest);
    if (known) return known;
    const bytes = this.#ops.get(digest);
    if (!bytes) throw invalidDefinition(`it has no op ${digest}`);
    const inputs = pb.Op.decode(bytes).inputs.map((input) => this.output(input));
    const op: MarshalledOp = {
      digest: digest as Digest,
      bytes,
      metadata: this.#definition.metadata.get(digest as Digest) ?? emptyMetadata,
      locations: this.#locations.get(digest) ?? [],
    };
    const vertex: Vertex = { inputs: () => inputs, marshal: () => op };
    this.#vertices.set(digest, vertex);
    return vertex;
  }
}

function locationsOf({ source }: LlbDefinition): ReadonlyMap<string, readonly SourceLocation[]> {
  if (source === undefined) return new Map();
  const { infos, locations } = pb.Source.decode(source);
  const maps = infos.map(
    ({ filename, language, data, definition }): SourceMap => ({
      filename,
      language,
      data,
      ...(definition ? { definition: definitionFromProto(definition) } : {}),
    }),
  );
  return new Map(
    Object.entries(locations).map(([digest, found]) => [digest, found.locations.map(toLocation(maps))]),
  );
}

const toLocation =
  (maps: readonly SourceMap[]) =>
  ({ sourceIndex, ranges }: pb.Location): SourceLocation => {
    const map = maps[sourceIndex];
    if (!map) throw invalidDefinition(`its source map has no file ${sourceIndex}`);
    return { map, ranges: ranges.map(({ start, end }) => ({ start: start ?? origin, end: end ?? origin })) };
  };

const origin = { line: 0, character: 0 };

const invalidDefinition = (problem: string): BuildError =>
  new BuildError('llb.invalid', `not a definition: ${problem}`, { grpcCode: 'InvalidArgument' });
