/**
 * The keys that lead to a result, as a cache exporter writes them: one node per key, shared where the graph is.
 * Linear in the graph, whatever its depth. BuildKit: solver/exporter.go; wire facts E5.2, E6.
 */
import type { Digest } from '../util/digest.js';
import { contentKey, isVolatile, type KeyId, rootKey } from './keys/key-id.js';
import type { Result } from './op.js';
import type { Input, Output } from './task.js';

export interface KeyChain {
  /** `rootKey(cache map digest, output)`; alternatives are further nodes with the same result. */
  readonly digest: Digest;
  /** Per input, the alternatives that stand for it. An input without any cannot be found again elsewhere. */
  readonly inputs: readonly (readonly ChainLink[])[];
  readonly result: ChainResult | undefined;
  /** The vertex's own wish, if it has one. */
  readonly exportCache: boolean | undefined;
  /** undefined for a content key. */
  readonly vertex: Digest | undefined;
  /** Other cache maps of the same step: they lead to the same result. */
  readonly aliases: readonly Digest[];
  /** What it is called in the key store. */
  readonly keys: readonly KeyId[];
}
export interface ChainLink {
  readonly selector: Digest | undefined;
  readonly node: KeyChain;
}
export interface ChainResult {
  /** Borrowed: clone it to keep it. undefined as long as it was only found, not loaded. */
  readonly held: { readonly value: Result | undefined } | undefined;
  /** Its name in the result store, once it has one. */
  readonly recordId: string | undefined;
  readonly createdAt: number;
}

/** The chain of a solved output; undefined when its keys mean nothing outside this process. */
export const cacheChain = (top: Output): KeyChain | undefined => cacheChains([top])[0];

/** The chains of several, with their nodes in common. Those whose keys mean nothing outside this process are left out. */
export function cacheChains(tops: readonly Output[]): readonly KeyChain[] {
  const nodes = new Map<Output, KeyChain>();
  for (const output of inputsFirst(tops)) {
    const node = nodeOf(output, nodes);
    if (node) nodes.set(output, node);
  }
  return tops.flatMap((top) => nodes.get(top) ?? []);
}

function nodeOf(output: Output, nodes: ReadonlyMap<Output, KeyChain>): KeyChain | undefined {
  const { task } = output;
  const [first, ...others] = task.maps.filter(({ digest }) => !isVolatile(digest));
  if (!first) return undefined;
  return {
    digest: rootKey(first.digest, output.index),
    inputs: task.inputs.map((input) => linksOf(input, nodes)),
    result: chainResult(output),
    exportCache: task.vertex.exportCache,
    vertex: task.digest,
    aliases: others.map(({ digest }) => rootKey(digest, output.index)),
    keys: output.allKeys,
  };
}

function linksOf(input: Input, nodes: ReadonlyMap<Output, KeyChain>): readonly ChainLink[] {
  const node = nodes.get(input.source);
  const links: ChainLink[] = node ? [{ selector: input.dep?.selector, node }] : [];
  if (input.contentDigest) links.push({ selector: undefined, node: contentNode(input.contentDigest) });
  return links;
}

const contentNode = (contentDigest: Digest): KeyChain => ({
  digest: contentKey(contentDigest),
  inputs: [],
  result: undefined,
  exportCache: undefined,
  vertex: undefined,
  aliases: [],
  keys: [],
});

export function chainResult(output: Output): ChainResult | undefined {
  const { result, bestRecord } = output;
  if (result) return { held: result, recordId: result.recordId, createdAt: result.createdAt };
  return bestRecord && { held: undefined, recordId: bestRecord.id, createdAt: bestRecord.createdAt };
}

function* inputsFirst(tops: readonly Output[]): Iterable<Output> {
  const seen = new Set<Output>();
  const open = tops.map((top): [Output, boolean] => [top, false]);
  for (let next = open.pop(); next; next = open.pop()) {
    const [output, expanded] = next;
    if (expanded) yield output;
    if (expanded || seen.has(output)) continue;
    seen.add(output);
    open.push([output, true]);
    for (const { source } of output.task.inputs) open.push([source, false]);
  }
}
