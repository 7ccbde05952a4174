import type { Kv, KvBatch, KvTable } from '../contracts/kv.js';
import type { Digest } from '../util/digest.js';

/** What the holder of a hold begins with that keeps a blob alone, without what it names. */
export const ALONE = 'alone:';

/**
 * Who keeps which blob: records of refs (`ref:<worker>/<id>`), leases (`lease:<id>`), pins (`pin:<owner>`). Kept in
 * the key-value store, so that a record and what it keeps are written in one batch.
 *
 * A hold keeps what the blob names as well, unless its holder begins with {@link ALONE}: a build's record keeps the
 * manifest of an image, but not its layers.
 */
export class BlobHolds {
  readonly #table: KvTable<true>;

  constructor(kv: Kv) {
    this.#table = kv.table('blob-holds');
  }

  hold(batch: KvBatch, digest: Digest, holder: string): void {
    batch.put(this.#table, `${digest} ${holder}`, true);
  }

  release(batch: KvBatch, digest: Digest, holder: string): void {
    batch.remove(this.#table, `${digest} ${holder}`);
  }

  held(digest: Digest): boolean {
    for (const _ of this.#table.entries(`${digest} `)) return true;
    return false;
  }

  /** Whether somebody keeps it with all that it names. */
  heldWhole(digest: Digest): boolean {
    const alone = `${digest} ${ALONE}`;
    for (const [key] of this.#table.entries(`${digest} `)) if (!key.startsWith(alone)) return true;
    return false;
  }

  /** Every hold whose holder starts with `prefix`. Walks the whole table. */
  *by(prefix: string): Iterable<{ readonly digest: Digest; readonly holder: string }> {
    for (const [key] of this.#table.entries()) {
      const space = key.indexOf(' ');
      const holder = key.slice(space + 1);
      if (holder.startsWith(prefix)) yield { digest: key.slice(0, space) as Digest, holder };
    }
  }
}
