/**
 * One imported cache, for the job that imported it. Its layers stay where they are until something reads them. What is
 * used of it becomes the solver's own, together with the results it was built from (their layers are among its own).
 */
import type { CacheRecord } from '../contracts/cache.js';
import { lazyLayersOf, type RefLayers, type RefStore } from '../contracts/refs.js';
import { type Adopted, type ForeignCache, foreignId } from '../solver/foreign.js';
import { ForeignKeys, recordsBelow } from '../solver/keys/foreign-keys.js';
import type { KeyId } from '../solver/keys/key-id.js';
import type { KeyStore } from '../solver/keys/key-store.js';
import type { StoredResult } from '../solver/keys/key-tables.js';
import type { OriginName } from '../solver/keys/link.js';
import { linkRecords } from '../solver/keys/merge-records.js';
import type { ResultStore } from '../solver/op.js';
import type { Stop } from '../solver/seams.js';
import type { Digest } from '../util/digest.js';
import { newId } from '../util/identity.js';

/** Where adopted results and their keys go. */
export interface AdoptionStores {
  readonly keys: KeyStore;
  readonly results: ResultStore;
  /** Of the worker that is to use the layers. */
  readonly refs: RefStore;
}

/** What is in use is not given up half-way. */
const goesOn: Stop = { signal: new AbortController().signal, aborted: false };

type WithResult = CacheRecord & Required<Pick<CacheRecord, 'result'>>;

export class ImportedCache implements ForeignCache {
  readonly name: string;
  readonly #keys: ForeignKeys;
  readonly #stores: AdoptionStores;
  readonly #byId = new Map<string, WithResult>();
  readonly #ids = new Map<CacheRecord, string>();
  /** Their keys in the solver's store. */
  readonly #adopted = new Map<CacheRecord, KeyId>();

  constructor(name: string, records: readonly CacheRecord[], stores: AdoptionStores) {
    this.name = name;
    this.#stores = stores;
    this.#keys = new ForeignKeys(records);
    const id = newId();
    for (const record of recordsBelow(records, new Set<CacheRecord>())) {
      if (!hasLayers(record)) continue;
      const resultId = foreignId(`${id}-${this.#byId.size}`);
      this.#byId.set(resultId, record);
      this.#ids.set(record, resultId);
      // Of an earlier import there may be records whose layers nobody can bring any more.
      stores.refs.offerLayers(lazyLayersOf(record.result.layers));
    }
  }

  targets(origin: OriginName): readonly KeyId[] {
    return this.#keys.targets(origin);
  }

  knows(step: Digest): boolean {
    return this.#keys.knows(step);
  }

  results(key: KeyId): readonly StoredResult[] {
    return this.#keys.records(key).flatMap((record) => {
      const id = this.#ids.get(record);
      return id === undefined || !record.result ? [] : [{ id, createdAt: record.result.createdAt }];
    });
  }

  /** As they were imported. */
  layers(resultId: string): RefLayers | undefined {
    return this.#byId.get(resultId)?.result.layers;
  }

  adopt(resultId: string): Promise<Adopted> | undefined {
    const record = this.#byId.get(resultId);
    return record && this.#adopt(record);
  }

  async #adopt(record: WithResult): Promise<Adopted> {
    const { keys, results, refs } = this.#stores;
    const value = await refs.fromLayers(lazyLayersOf(record.result.layers), this.#options());
    const recordId = await results.save(value, goesOn);
    const fresh = [...recordsBelow([record], this.#adopted)];
    const linked = linkRecords(keys, fresh, this.#adopted);
    const own = this.#adopted.get(record)!;
    const saved = keys.addResult([own], { id: recordId, createdAt: record.result.createdAt });
    const kept = Promise.all([linked, saved, this.#adoptBelow(record, fresh)]).then(() => {});
    return { value, recordId, keys: [own], kept };
  }

  /** The results on the way to `top` whose layers it stands on. */
  async #adoptBelow(top: WithResult, records: readonly CacheRecord[]): Promise<void> {
    const { keys, results, refs } = this.#stores;
    for (const record of records) {
      if (record === top || !hasLayers(record) || !standsOn(top, record)) continue;
      await using ref = await refs.fromLayers(lazyLayersOf(record.result.layers), this.#options());
      const id = await results.save(ref, goesOn);
      const { createdAt } = record.result;
      await keys.addResult([this.#adopted.get(record)!], { id, createdAt });
    }
  }

  #options(): { readonly description: string } {
    return { description: `imported from ${this.name}` };
  }
}

const hasLayers = (record: CacheRecord): record is WithResult =>
  (record.result?.layers.layers.length ?? 0) > 0;

function standsOn(
  { result: { layers: top } }: WithResult,
  { result: { layers: below } }: WithResult,
): boolean {
  return below.layers.every(({ descriptor }, at) => descriptor.digest === top.layers[at]?.descriptor.digest);
}
