/** The keys of imported records, in memory: what {@link KeyStore} answers for its own. */
import type { CacheRecord } from '../../contracts/cache.js';
import type { Digest } from '../../util/digest.js';
import { getOrAdd } from '../../util/get-or-add.js';
import { type KeyId, newKey } from './key-id.js';
import { type OriginName, originName } from './link.js';

export class ForeignKeys {
  readonly #targets = new Map<string, KeyId[]>();
  readonly #records = new Map<KeyId, CacheRecord[]>();
  readonly #steps = new Set<Digest>();

  constructor(records: readonly CacheRecord[]) {
    const ids = new Map<CacheRecord, KeyId>();
    for (const record of recordsBelow(records, ids)) {
      // A root is named by what it is. Other names mean nothing outside, and must not get into another store.
      const id = record.inputs.length === 0 ? record.digest : newKey(true);
      ids.set(record, id);
      this.#steps.add(record.digest);
      if (record.result) getOrAdd(this.#records, id, () => []).push(record);
      for (const origin of origins(record, ids)) {
        const targets = getOrAdd(this.#targets, origin, () => []);
        if (!targets.includes(id)) targets.push(id);
      }
    }
  }

  targets(origin: OriginName): readonly KeyId[] {
    return this.#targets.get(origin) ?? [];
  }

  /** Whether there is such a step, whatever its inputs. */
  knows(step: Digest): boolean {
    return this.#steps.has(step);
  }

  /** Those that have a result. */
  records(key: KeyId): readonly CacheRecord[] {
    return this.#records.get(key) ?? [];
  }

  get size(): number {
    return this.#targets.size + this.#records.size;
  }
}

function* origins(record: CacheRecord, ids: ReadonlyMap<CacheRecord, KeyId>): Iterable<OriginName> {
  for (const [input, alternatives] of record.inputs.entries()) {
    for (const { selector, record: from } of alternatives) {
      yield originName({ from: ids.get(from)!, link: { input, step: record.digest, selector } });
    }
  }
}

/** All records that others rest on, these first; without those that are known. Chains may be long: no recursion. */
export function recordsBelow(
  tops: readonly CacheRecord[],
  known: { has(record: CacheRecord): boolean },
): Iterable<CacheRecord> {
  const seen = new Set<CacheRecord>();
  const order = new Set<CacheRecord>();
  const open = [...tops];
  for (let record = open.at(-1); record; record = open.at(-1)) {
    if (seen.has(record) || known.has(record)) {
      open.pop();
      if (!known.has(record)) order.add(record);
      continue;
    }
    seen.add(record);
    for (const { record: below } of record.inputs.flat()) if (!seen.has(below)) open.push(below);
  }
  return order;
}
