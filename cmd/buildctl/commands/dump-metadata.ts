/** `debug dump-metadata`: the database of a state folder as text, a line for each entry. */
import { join } from 'node:path';
import { readAll } from '../../../core/kv/read-all.js';
import { defaultPaths } from '../../../core/util/default-paths.js';
import type { Context } from '../context.js';

export async function dumpMetadata(
  { stdout, signal }: Context,
  options: { readonly root?: string },
): Promise<void> {
  const file = join(options.root ?? defaultPaths().root, 'metadata.mdb');
  stdout.write(`===== ${file} =====\n`);
  let shown: string | undefined;
  for await (const { table, key, value } of readAll(file)) {
    signal.throwIfAborted();
    if (table !== shown) stdout.write(`bucket ${JSON.stringify(table)}:\n`);
    shown = table;
    stdout.write(`  ${JSON.stringify(key)}: ${JSON.stringify(readable(value))}\n`);
  }
}

/** Bytes are written in base64, as Go's JSON does. */
function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, readable(member)]));
}
