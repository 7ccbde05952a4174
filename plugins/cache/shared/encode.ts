/**
 * From records to a config, in BuildKit's order: the same records are the same bytes, whoever writes them. BuildKit:
 * cache/remotecache/v1/chains.go Marshal, utils.go sortConfig.
 */
import type { CacheMountLayers, CacheRecord } from '../../../core/contracts/cache.js';
import type { ContentProvider } from '../../../core/contracts/content.js';
import type { RefLayer, RefLayers } from '../../../core/contracts/refs.js';
import type { Digest } from '../../../core/util/digest.js';
import { timeFromMs } from '../../../core/util/go-time.js';
import type { CacheConfig, ConfigLayer, ConfigLink, ConfigMount, ConfigRecord } from './config.js';

export interface EncodedCache {
  readonly config: CacheConfig;
  /** The blobs that the config's layers are, and where they can be read. */
  readonly blobs: ReadonlyMap<Digest, LayerSource>;
}
export interface LayerSource {
  readonly layer: RefLayer;
  readonly provider: ContentProvider;
}

/** Every record that others rest on comes before them. */
export function encodeRecords(
  records: readonly CacheRecord[],
  mounts: readonly CacheMountLayers[] = [],
): EncodedCache {
  const layers = new LayerTable();
  const indexes = new Map(records.map((record, index) => [record, index]));
  const unsorted = records.map(
    ({ digest, inputs, result }): ConfigRecord => ({
      digest,
      layers: result ? layerResult(layers, result) : [],
      chains: [],
      inputs: inputs.map((links) =>
        links.map(({ selector, record }) => ({
          ...(selector ? { selector } : {}),
          link: indexes.get(record)!,
        })),
      ),
    }),
  );
  const carried = mounts.flatMap(({ id, based, layers: chain }): ConfigMount[] => {
    const layer = addChain(layers, chain);
    return layer === -1 ? [] : [{ id, based, layer }];
  });
  const config = sorted({ layers: layers.list, records: unsorted, mounts: carried });
  return { config, blobs: layers.blobs };
}

function layerResult(
  layers: LayerTable,
  { layers: chain, createdAt }: NonNullable<CacheRecord['result']>,
): ConfigRecord['layers'] {
  const layer = addChain(layers, chain);
  return layer === -1 ? [] : [{ layer, createdAt: timeFromMs(createdAt) }];
}

/** Index of the topmost; -1 for none. */
function addChain(table: LayerTable, { layers, provider }: RefLayers): number {
  let top = -1;
  for (const layer of layers) top = table.add({ layer, provider }, top);
  return top;
}

class LayerTable {
  readonly list: ConfigLayer[] = [];
  readonly blobs = new Map<Digest, LayerSource>();
  readonly #indexes = new Map<string, number>();

  add(source: LayerSource, parent: number): number {
    const blob = source.layer.descriptor.digest;
    const name = `${parent} ${blob}`;
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    this.blobs.set(blob, source);
    this.#indexes.set(name, this.list.length);
    return this.list.push({ blob, parent }) - 1;
  }
}

function sorted({ layers, records, mounts = [] }: CacheConfig): CacheConfig {
  const layerOrder = order(layers, (a, b) => compare(a.blob, b.blob) || a.parent - b.parent);
  // Links in one order while records are compared, so that equal records compare as equal.
  const tidy = records.map((record) => ({
    ...record,
    inputs: record.inputs.map((links) => links.toSorted(byLink(records))),
  }));
  const recordOrder = order(tidy, (a, b) => compareRecords(a, b, records));
  const move = (link: ConfigLink): ConfigLink => ({ ...link, link: recordOrder.places[link.link]! });
  const moved = (mount: ConfigMount): ConfigMount => ({ ...mount, layer: layerOrder.places[mount.layer]! });
  return {
    layers: layerOrder.items.map(({ parent, ...layer }) => ({
      ...layer,
      parent: parent === -1 ? -1 : layerOrder.places[parent]!,
    })),
    records: recordOrder.items.map((record) => ({
      ...record,
      layers: record.layers.map((result) => ({ ...result, layer: layerOrder.places[result.layer]! })),
      inputs: record.inputs.map((links) => links.map(move).sort((a, b) => a.link - b.link)),
    })),
    ...(mounts.length > 0 ? { mounts: mounts.toSorted(byId).map(moved) } : {}),
  };
}

/** The items in order, and where each went. */
function order<T>(
  items: readonly T[],
  compareItems: (a: T, b: T) => number,
): { readonly items: readonly T[]; readonly places: readonly number[] } {
  const from = items.map((_, index) => index).sort((a, b) => compareItems(items[a]!, items[b]!));
  const places: number[] = [];
  for (const [place, index] of from.entries()) places[index] = place;
  return { items: from.map((index) => items[index]!), places };
}

function compareRecords(a: ConfigRecord, b: ConfigRecord, records: readonly ConfigRecord[]): number {
  const shallow = compare(a.digest, b.digest) || a.inputs.length - b.inputs.length;
  if (shallow !== 0) return shallow;
  for (const [i, links] of a.inputs.entries()) {
    const others = b.inputs[i]!;
    if (links.length !== others.length) return links.length - others.length;
    for (const [j, link] of links.entries()) {
      const unequal = byLink(records)(link, others[j]!);
      if (unequal !== 0) return unequal;
    }
  }
  return 0;
}

const byLink =
  (records: readonly ConfigRecord[]) =>
  (a: ConfigLink, b: ConfigLink): number =>
    compare(a.selector ?? '', b.selector ?? '') || compare(records[a.link]!.digest, records[b.link]!.digest);

const byId = (a: ConfigMount, b: ConfigMount): number =>
  compare(a.id, b.id) || Number(a.based) - Number(b.based);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
