/**
 * Cache records as they grow together: a record that is reached by the same links is the same record. BuildKit:
 * cache/remotecache/v1/chains.go.
 *
 * Invariants: (1) every input of a record has at least one link; (2) no record rests on itself, through whatever links:
 * a link that would close a circle is left out.
 */
import type { CacheRecord } from '../contracts/cache.js';
import { recordsBelow } from '../solver/keys/foreign-keys.js';
import { isVolatile } from '../solver/keys/key-id.js';
import type { Digest } from '../util/digest.js';
import { getOrAdd } from '../util/get-or-add.js';

export interface RecordLink {
  readonly selector?: Digest;
  readonly record: GraphRecord;
}

export class GraphRecord implements CacheRecord {
  readonly digest: Digest;
  readonly inputs: RecordLink[][] = [];
  result?: NonNullable<CacheRecord['result']>;
  /** By the name of the link. */
  readonly children = new Map<string, Set<GraphRecord>>();

  constructor(digest: Digest) {
    this.digest = digest;
  }
}

export class RecordGraph {
  readonly #roots = new Map<Digest, GraphRecord>();
  readonly #records = new Set<GraphRecord>();

  /** undefined when nobody else could find it: an input is reached by nothing, or the digest means nothing elsewhere. */
  add(
    digest: Digest,
    inputs: readonly (readonly RecordLink[])[],
    result?: CacheRecord['result'],
  ): GraphRecord | undefined {
    if (isVolatile(digest) || inputs.some((links) => links.length === 0)) return undefined;
    const record = inputs.length === 0 ? this.#root(digest) : this.#step(digest, inputs);
    addResult(record, result);
    return record;
  }

  /** Every record that others rest on comes before them. */
  records(): readonly GraphRecord[] {
    return [...recordsBelow([...this.#records], new Set<CacheRecord>())] as GraphRecord[];
  }

  #root(digest: Digest): GraphRecord {
    const root = getOrAdd(this.#roots, digest, () => new GraphRecord(digest));
    this.#records.add(root);
    return root;
  }

  #step(digest: Digest, inputs: readonly (readonly RecordLink[])[]): GraphRecord {
    const [known, ...others] = reachedByAll(digest, inputs);
    const record = known ?? new GraphRecord(digest);
    for (const other of others) this.#merge(record, other);
    this.#records.add(record);
    const above = known ? everythingOn(record) : new Set<GraphRecord>();
    inputs.forEach((links, input) => {
      for (const link of links) if (!above.has(link.record)) connect(record, input, link);
    });
    return record;
  }

  /** Two records proved to be one. */
  #merge(record: GraphRecord, other: GraphRecord): void {
    this.#records.delete(other);
    other.inputs.forEach((links, input) => {
      for (const link of links)
        link.record.children.get(linkName(input, other.digest, link.selector))?.delete(other);
    });
    for (const [name, children] of other.children) {
      const own = getOrAdd(record.children, name, () => new Set<GraphRecord>());
      for (const child of children) {
        own.add(child);
        child.inputs.forEach((links, input) => {
          child.inputs[input] = links.map((link) => (link.record === other ? { ...link, record } : link));
        });
      }
    }
    addResult(record, other.result);
  }
}

const linkName = (input: number, digest: Digest, selector: Digest | undefined): string =>
  `${input} ${digest} ${selector ?? ''}`;

function reachedByAll(digest: Digest, inputs: readonly (readonly RecordLink[])[]): readonly GraphRecord[] {
  let common: GraphRecord[] | undefined;
  for (const [input, links] of inputs.entries()) {
    const reached = new Set<GraphRecord>();
    for (const { record, selector } of links) {
      for (const child of record.children.get(linkName(input, digest, selector)) ?? []) reached.add(child);
    }
    common = common ? common.filter((record) => reached.has(record)) : [...reached];
    if (common.length === 0) return common;
  }
  return common ?? [];
}

/** The record, and all that rest on it. */
function everythingOn(record: GraphRecord): ReadonlySet<GraphRecord> {
  const seen = new Set([record]);
  for (const next of seen)
    for (const children of next.children.values()) for (const child of children) seen.add(child);
  return seen;
}

function connect(record: GraphRecord, input: number, link: RecordLink): void {
  const children = getOrAdd(
    link.record.children,
    linkName(input, record.digest, link.selector),
    () => new Set(),
  );
  if (children.has(record)) return;
  children.add(record);
  while (record.inputs.length <= input) record.inputs.push([]);
  record.inputs[input]!.push(link);
}

/** Of several results the newest counts. */
function addResult(record: GraphRecord, result: CacheRecord['result']): void {
  if (result && (!record.result || result.createdAt > record.result.createdAt)) record.result = result;
}
