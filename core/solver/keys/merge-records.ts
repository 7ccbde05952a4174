/**
 * Adds imported cache records to a key store: from then on they are found like its own. Wire facts E5.2, E6.
 *
 * A record takes the place of an existing key only when every alternative of every input leads there: two builds may
 * have had other content for the same definition.
 */
import type { CacheRecord } from '../../contracts/cache.js';
import type { KeyId } from './key-id.js';
import type { KeyStore } from './key-store.js';
import type { Origin } from './link.js';

/** Makes a record's result known to the result store, without fetching it; undefined when it has none. */
export type AdoptResult = (record: CacheRecord) => Promise<string | undefined>;

export async function mergeRecords(
  keys: KeyStore,
  records: readonly CacheRecord[],
  adopt: AdoptResult,
): Promise<void> {
  const ids = new Map<CacheRecord, KeyId>();
  for (const record of inputsFirst(records)) {
    const origins = originsOfRecord(record, ids);
    const id = idOf(keys, record, origins);
    ids.set(record, id);
    await keys.link(origins, id);
    const result = await adopt(record);
    if (result !== undefined && record.result) {
      await keys.addResult([id], { id: result, createdAt: record.result.createdAt });
    }
  }
}

const originsOfRecord = (record: CacheRecord, ids: ReadonlyMap<CacheRecord, KeyId>): readonly Origin[] =>
  record.inputs.flatMap((alternatives, input) =>
    alternatives.map(({ selector, record: from }) => ({
      from: ids.get(from)!,
      link: { input, step: record.digest, selector },
    })),
  );

function idOf(keys: KeyStore, record: CacheRecord, origins: readonly Origin[]): KeyId {
  if (record.inputs.length === 0) return record.digest;
  return keys.resolve(origins.map((origin) => ({ definitions: [origin], content: undefined })));
}

function inputsFirst(tops: readonly CacheRecord[]): Iterable<CacheRecord> {
  const seen = new Set<CacheRecord>();
  const order = new Set<CacheRecord>();
  const open = [...tops];
  for (let record = open.at(-1); record; record = open.at(-1)) {
    if (seen.has(record)) {
      open.pop();
      order.add(record);
      continue;
    }
    seen.add(record);
    for (const { record: below } of record.inputs.flat()) if (!seen.has(below)) open.push(below);
  }
  return order;
}
