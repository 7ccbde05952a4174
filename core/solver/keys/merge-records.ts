/**
 * Adds imported cache records to a key store: from then on they are found like its own. Wire facts E5.2, E6.
 *
 * A record takes the place of an existing key only when every alternative of every input leads there: two builds may
 * have had other content for the same definition.
 */
import type { CacheRecord } from '../../contracts/cache.js';
import { recordsBelow } from './foreign-keys.js';
import type { KeyId } from './key-id.js';
import type { KeyStore } from './key-store.js';
import { type InputKeys, originName } from './link.js';

/** Makes a record's result known to the result store, without fetching it; undefined when it has none. */
export type AdoptResult = (record: CacheRecord) => Promise<string | undefined>;

export async function mergeRecords(
  keys: KeyStore,
  records: readonly CacheRecord[],
  adopt: AdoptResult,
): Promise<void> {
  const ids = new Map<CacheRecord, KeyId>();
  const linked = linkRecords(keys, records, ids);
  for (const [record, id] of ids) {
    const result = await adopt(record);
    if (result !== undefined && record.result) {
      await keys.addResult([id], { id: result, createdAt: record.result.createdAt });
    }
  }
  await linked;
}

/**
 * Gives records and all that they rest on keys in the store, and links those. `ids` has the keys of earlier calls and
 * gets the new ones before this returns; the promise settles when the links are durable.
 */
export function linkRecords(
  keys: KeyStore,
  records: readonly CacheRecord[],
  ids: Map<CacheRecord, KeyId>,
): Promise<void> {
  const writes: Promise<void>[] = [];
  for (const record of recordsBelow(records, ids)) {
    const origins = originsOfRecord(record, ids);
    const id = record.inputs.length === 0 ? record.digest : keys.resolve(origins);
    ids.set(record, id);
    writes.push(keys.link(origins, id));
  }
  return Promise.all(writes).then(() => {});
}

/** One for every alternative of every input: each has to lead to the same key. */
const originsOfRecord = (record: CacheRecord, ids: ReadonlyMap<CacheRecord, KeyId>): readonly InputKeys[] =>
  record.inputs.flatMap((alternatives, input) =>
    alternatives.map(({ selector, record: from }) => ({
      definitions: [originName({ from: ids.get(from)!, link: { input, step: record.digest, selector } })],
      content: undefined,
    })),
  );
