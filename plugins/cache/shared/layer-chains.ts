/** The layers of a config by their indexes, looked up in what is known of its blobs. */
import type { RefLayer } from '../../../core/contracts/refs.js';
import type { Digest } from '../../../core/util/digest.js';
import { type CacheConfig, corrupt } from './config.js';

/** Layers of all chains together: a config of some megabytes can name chains that fill the memory. */
const MAX_TOTAL = 5_000_000;

export class LayerChains {
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
