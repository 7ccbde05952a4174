/**
 * From a config back to records. A record whose layers are not all known keeps its place: its key still leads on. BuildKit:
 * cache/remotecache/v1/parse.go.
 */
import type { CacheRecord } from '../../../core/contracts/cache.js';
import type { ContentProvider } from '../../../core/contracts/content.js';
import type { RefLayer } from '../../../core/contracts/refs.js';
import type { Digest } from '../../../core/util/digest.js';
import { type CacheConfig, type ConfigRecord, corrupt } from './config.js';

export interface KnownLayers {
  readonly layers: ReadonlyMap<Digest, RefLayer>;
  readonly provider: ContentProvider;
}

type Shell = { -readonly [K in keyof CacheRecord]: CacheRecord[K] };

/** Fails with `cache.corrupt` when a link leads nowhere, or in a circle. */
export function decodeConfig(config: CacheConfig, known: KnownLayers, name: string): readonly CacheRecord[] {
  const chains = new LayerChains(config, known.layers, name);
  const shells = config.records.map(({ digest }): Shell => ({ digest, inputs: [] }));
  for (const [at, record] of config.records.entries()) {
    const shell = shells[at]!;
    shell.inputs = inputsOf(record, at, shells, name);
    const result = newest(record, chains, known.provider);
    if (result) shell.result = result;
  }
  refuseCircles(shells, name);
  return shells;
}

const inputsOf = (
  { inputs }: ConfigRecord,
  at: number,
  records: readonly CacheRecord[],
  name: string,
): CacheRecord['inputs'] =>
  inputs.map((links) => {
    if (links.length === 0) throw corrupt(name, `invalid empty input for record ${at}`);
    return links.map(({ selector, link }) => {
      const record = records[link];
      if (!record) throw corrupt(name, `invalid record ID: ${link}`);
      return { record, ...(selector ? { selector } : {}) };
    });
  });

function newest(
  { layers, chains }: ConfigRecord,
  table: LayerChains,
  provider: ContentProvider,
): CacheRecord['result'] {
  const candidates = [
    ...layers.map(({ layer, createdAt }) => ({
      layers: table.below(layer),
      createdAt: Date.parse(createdAt),
    })),
    ...chains.map(({ layers, createdAt }) => ({
      layers: table.all(layers),
      createdAt: Date.parse(createdAt),
    })),
  ].sort((a, b) => b.createdAt - a.createdAt);
  for (const { layers, createdAt } of candidates) {
    if (layers) return { layers: { layers, provider }, createdAt };
  }
  return undefined;
}

/** Layers of all chains together: a config of some megabytes can name chains that fill the memory. */
const MAX_TOTAL = 5_000_000;

class LayerChains {
  readonly #below = new Map<number, readonly RefLayer[] | undefined>();
  #total = 0;
  readonly #config: CacheConfig;
  readonly #layers: ReadonlyMap<Digest, RefLayer>;
  readonly #name: string;

  constructor(config: CacheConfig, layers: ReadonlyMap<Digest, RefLayer>, name: string) {
    this.#config = config;
    this.#layers = layers;
    this.#name = name;
  }

  /** A layer and all below it; undefined when one of them is not known. Records of one layer share the answer. */
  below(top: number): readonly RefLayer[] | undefined {
    if (!this.#below.has(top)) this.#below.set(top, this.#chain(top));
    return this.#below.get(top);
  }

  #chain(top: number): readonly RefLayer[] | undefined {
    const chain: number[] = [];
    for (let at = top; at !== -1; at = this.#at(at).parent) {
      if (chain.length > this.#config.layers.length) throw corrupt(this.#name, 'invalid looping layer');
      chain.push(at);
    }
    return this.all(chain.reverse());
  }

  all(indexes: readonly number[]): readonly RefLayer[] | undefined {
    this.#total += indexes.length;
    if (this.#total > MAX_TOTAL) throw corrupt(this.#name, `its chains have more than ${MAX_TOTAL} layers`);
    const layers: RefLayer[] = [];
    for (const index of indexes) {
      const layer = this.#layers.get(this.#at(index).blob);
      if (!layer) return undefined;
      layers.push(layer);
    }
    return layers;
  }

  #at(index: number): CacheConfig['layers'][number] {
    const layer = this.#config.layers[index];
    if (layer) return layer;
    throw corrupt(this.#name, `invalid layer index ${index}`);
  }
}

/** Chains may be long: no recursion. */
function refuseCircles(records: readonly CacheRecord[], name: string): void {
  const done = new Set<CacheRecord>();
  const path = new Set<CacheRecord>();
  const open = [...records];
  for (let record = open.at(-1); record; record = open.at(-1)) {
    if (done.has(record) || path.has(record)) {
      open.pop();
      path.delete(record);
      done.add(record);
      continue;
    }
    path.add(record);
    for (const links of record.inputs) {
      for (const { record: below } of links) {
        if (path.has(below)) throw corrupt(name, 'invalid looping record');
        if (!done.has(below)) open.push(below);
      }
    }
  }
}
