/** Run by a test with a limit on the size of files: writes until the database is full, and goes on then. */
import { LmdbKv } from '../../../../core/kv/lmdb-kv.js';

const kv = await LmdbKv.open(process.argv[2]!);
const table = kv.table<string>('t');
const written: string[] = [];
let failure: { readonly code?: string } | undefined;
while (!failure) {
  const key = String(written.length);
  await kv
    .write((batch) => {
      for (let i = 0; i < 50; i++) batch.put(table, `${key} ${i}`, 'x'.repeat(2000));
    })
    .then(
      () => written.push(key),
      (error: { readonly code?: string }) => {
        failure = error;
      },
    );
}
// What nobody handles ends a process when the turn is over.
await new Promise(setImmediate);
const kept = [...table.entries()].length;
await kv.write((batch) => {
  for (const [key] of table.entries()) batch.remove(table, key);
});
await kv.write((batch) => batch.put(table, 'again', 'written'));
process.stdout.write(
  JSON.stringify({ code: failure.code, lost: 50 * written.length - kept, again: table.get('again') }),
);
await kv[Symbol.asyncDispose]();
