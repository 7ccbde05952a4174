/**
 * A definition with its sources changed. An op's digest is that of its bytes, so what builds on a changed source changes
 * too, up to the result; metadata and source maps follow. Wire facts E5.12. BuildKit: solver/llbsolver/vertex.go.
 */
import { pb } from '../../../proto/index.js';
import { marshalOp, marshalSource } from '../../../proto/marshal.js';
import type { LlbDefinition } from '../../contracts/frontend.js';
import type { PolicySource } from '../../contracts/source-policy.js';
import { type Digest, sha256 } from '../../util/digest.js';
import { together } from '../../util/together.js';
import { readDefinition } from '../definition.js';

export interface DefinedSource extends PolicySource {
  readonly digest: Digest;
  /** As the op says it. */
  readonly platform: pb.Platform | undefined;
}

/** Asks `decide` about every source, several at once. Answers the same definition when nothing changed. */
export async function rewriteSources(
  definition: LlbDefinition,
  decide: (source: DefinedSource, signal: AbortSignal) => Promise<PolicySource>,
  signal: AbortSignal,
): Promise<LlbDefinition> {
  const sources = sourcesOf(definition);
  const decided = await together(
    sources,
    async (source, stop) => [source, await decide(source, stop)] as const,
    signal,
  );
  const changed = decided.filter(([source, next]) => !sameSource(source, next));
  if (changed.length === 0) return definition;
  return rewrite(definition, new Map(changed.map(([{ digest }, next]) => [digest, next])));
}

function sourcesOf(definition: LlbDefinition): readonly DefinedSource[] {
  const graph = readDefinition(definition);
  return (graph?.ops ?? []).flatMap(({ digest, body, bytes }) =>
    body.kind === 'source'
      ? [{ digest, identifier: body.identifier, attrs: body.attrs, platform: pb.Op.decode(bytes).platform }]
      : [],
  );
}

function sameSource(a: PolicySource, b: PolicySource): boolean {
  const keys = Object.keys(b.attrs);
  return (
    a.identifier === b.identifier &&
    keys.length === Object.keys(a.attrs).length &&
    keys.every((key) => a.attrs[key] === b.attrs[key])
  );
}

function rewrite(definition: LlbDefinition, changed: ReadonlyMap<Digest, PolicySource>): LlbDefinition {
  const renamed = renameOps(definition, changed);
  const digest = (old: string): Digest => renamed.get(old as Digest)?.digest ?? (old as Digest);
  return {
    // Two sources that have become one are one op.
    def: [...new Map(definition.def.map((bytes) => opEntry(bytes, renamed))).values()],
    metadata: new Map([...definition.metadata].map(([old, value]) => [digest(old), value])),
    ...(definition.source ? { source: renameLocations(definition.source, digest) } : {}),
  };
}

interface RenamedOp {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

function opEntry(bytes: Uint8Array, renamed: ReadonlyMap<Digest, RenamedOp>): readonly [Digest, Uint8Array] {
  const digest = sha256(bytes);
  const op = renamed.get(digest);
  return op ? [op.digest, op.bytes] : [digest, bytes];
}

/** Ops whose bytes change, by their old digests. Whatever stands before its inputs waits for them. */
function renameOps(
  definition: LlbDefinition,
  changed: ReadonlyMap<Digest, PolicySource>,
): ReadonlyMap<Digest, RenamedOp> {
  const renamed = new Map<Digest, RenamedOp>();
  const ops = [
    ...(readDefinition(definition)?.ops ?? []),
    { digest: sha256(definition.def.at(-1)!), bytes: definition.def.at(-1)! },
  ];
  for (const { digest, bytes } of ops) {
    const op = pb.Op.decode(bytes);
    const source = changed.get(digest);
    if (!source && !op.inputs.some((input) => renamed.has(input.digest as Digest))) continue;
    for (const input of op.inputs) {
      input.digest = renamed.get(input.digest as Digest)?.digest ?? input.digest;
    }
    if (op.source && source) {
      op.source.identifier = source.identifier;
      op.source.attrs = { ...source.attrs };
    }
    const next = marshalOp(op);
    renamed.set(digest, { digest: sha256(next), bytes: next });
  }
  return renamed;
}

function renameLocations(source: Uint8Array, digest: (old: string) => Digest): Uint8Array {
  const map = pb.Source.decode(source);
  const locations = Object.entries(map.locations).map(([old, value]) => [digest(old), value] as const);
  return marshalSource({ ...map, locations: Object.fromEntries(locations) });
}
