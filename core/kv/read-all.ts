/** Everything in a database file, for people who look into it. The file may be in use. */
import { stat } from 'node:fs/promises';
import { notFound } from '../contracts/errors.js';
import { decode, openFile } from './lmdb-kv.js';

export interface KvEntry {
  readonly table: string;
  readonly key: string;
  readonly value: unknown;
}

/** By table and key, in the order of their bytes. */
export async function* readAll(path: string): AsyncIterable<KvEntry> {
  // Opening would make it.
  await stat(path).catch((cause: Error) => {
    throw notFound('kv.missing', `there is no database: ${cause.message}`, { cause });
  });
  const lmdb = await openFile(path, true);
  try {
    for (const { key, value } of lmdb.getRange({})) {
      const end = key.indexOf(0);
      yield { table: key.toString('utf8', 0, end), key: key.toString('utf8', end + 1), value: decode(value) };
    }
  } finally {
    await lmdb.close();
  }
}
