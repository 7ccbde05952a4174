/**
 * From the key chains of a build to the records that a cache exporter writes. Linear in the graph. BuildKit:
 * solver/exporter.go.
 */
import pLimit from 'p-limit';
import type { CacheRecord } from '../contracts/cache.js';
import { BuildError } from '../contracts/errors.js';
import type { RefLayers } from '../contracts/refs.js';
import type { ChainLink, ChainResult, KeyChain } from '../solver/key-chain.js';
import type { KeyStore } from '../solver/keys/key-store.js';
import { together } from '../util/together.js';
import { Backlinks } from './backlinks.js';
import { type GraphRecord, RecordGraph, type RecordLink } from './record-graph.js';

export interface CollectOptions {
  /**
   * `max`: every step with its layers. `min`: the first below each chain's end that has layers; of what is below that,
   * only layers whose blobs are there anyway.
   */
  readonly mode: 'min' | 'max';
  /** The layers of a result; undefined when it has none, or when they would have to be made and `make` is false. */
  readonly layers: (
    result: ChainResult,
    make: boolean,
    signal: AbortSignal,
  ) => Promise<RefLayers | undefined>;
  /** Results turned into layers at once; each computes several layers at once itself. Default: 8. */
  readonly atOnce?: number;
  /** Where other ways to the records are looked for. */
  readonly keys: KeyStore | undefined;
}

export async function collectRecords(
  chains: readonly KeyChain[],
  options: CollectOptions,
  signal: AbortSignal,
): Promise<readonly CacheRecord[]> {
  const nodes = inputsFirst(chains);
  const results = await resultsOf(chains, nodes, options, signal);
  const graph = new RecordGraph();
  const backlinks = options.keys && new Backlinks(options.keys, graph);
  const records = new Map<KeyChain, readonly GraphRecord[]>();
  for (const node of nodes) {
    for (const key of node.keys) backlinks?.add(key);
    if (node.inputs.length === 0 && node.result?.recordId) backlinks?.addNames(node.result.recordId);
    const inputs = node.inputs.map((links) => links.flatMap((link) => recordLinks(link, records)));
    const digests = [node.digest, ...node.aliases];
    const added = digests.flatMap((digest) => graph.add(digest, inputs, results.get(node)) ?? []);
    records.set(node, added);
  }
  return graph.records();
}

const recordLinks = (
  { selector, node }: ChainLink,
  records: ReadonlyMap<KeyChain, readonly GraphRecord[]>,
): readonly RecordLink[] =>
  (records.get(node) ?? []).map((record) => ({ record, ...(selector ? { selector } : {}) }));

type Results = Map<KeyChain, NonNullable<CacheRecord['result']>>;

async function resultsOf(
  chains: readonly KeyChain[],
  nodes: readonly KeyChain[],
  { mode, layers, atOnce = 8 }: CollectOptions,
  signal: AbortSignal,
): Promise<Results> {
  const results: Results = new Map();
  const limit = pLimit(atOnce);
  const find = (make: boolean) => (node: KeyChain, either: AbortSignal) =>
    limit(async () => {
      const { result } = node;
      if (!result || !mayHaveLayers(node)) return;
      const found = await layers(result, make, either).catch(noneIfGone);
      if (found?.layers.length) results.set(node, { layers: found, createdAt: result.createdAt });
    });
  if (mode === 'max') {
    await together(nodes, find(true), signal);
    return results;
  }
  const ends = await findEnds(chains, results, find(true), signal);
  await together(
    nodes.filter((node) => !ends.has(node)),
    find(false),
    signal,
  );
  return results;
}

/** Goes down every chain until there are layers. Answers what was looked at. */
async function findEnds(
  chains: readonly KeyChain[],
  results: Results,
  find: (node: KeyChain, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<ReadonlySet<KeyChain>> {
  const seen = new Set<KeyChain>(chains);
  let level = [...seen];
  while (level.length > 0) {
    await together(level, find, signal);
    const below = level.filter((node) => !results.has(node)).flatMap(({ inputs }) => inputs.flat());
    level = [...new Set(below.map(({ node }) => node))].filter((node) => !seen.has(node));
    for (const node of level) seen.add(node);
  }
  return seen;
}

/** Sources are found again by themselves, with their own layers. */
const mayHaveLayers = ({ inputs, exportCache }: KeyChain): boolean =>
  inputs.length > 0 && exportCache !== false;

/** A record may be pruned while it is exported. */
function noneIfGone(error: unknown): undefined {
  if (BuildError.from(error).grpcCode !== 'NotFound') throw error;
}

/** Every node once, after those it rests on. Chains may be long: no recursion. */
function inputsFirst(tops: readonly KeyChain[]): readonly KeyChain[] {
  const seen = new Set<KeyChain>();
  const order = new Set<KeyChain>();
  const open = [...tops].reverse();
  for (let node = open.at(-1); node; node = open.at(-1)) {
    if (seen.has(node)) {
      open.pop();
      order.add(node);
      continue;
    }
    seen.add(node);
    for (const links of node.inputs)
      for (const { node: below } of links) if (!seen.has(below)) open.push(below);
  }
  return [...order];
}
