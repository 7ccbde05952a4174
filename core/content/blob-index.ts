import type { BlobInfo } from '../contracts/content.js';
import type { Kv, KvTable } from '../contracts/kv.js';
import { type Digest, hexOf, isDigest } from '../util/digest.js';
import { blobNotFound, notSha256 } from './errors.js';

interface BlobRecord {
  readonly size: number;
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is known about blobs besides their bytes. A blob exists when it stands here; its file is there before. */
export class BlobIndex {
  readonly #kv: Kv;
  readonly #table: KvTable<BlobRecord>;

  constructor(kv: Kv) {
    this.#kv = kv;
    this.#table = kv.table('blobs');
  }

  get(digest: Digest): BlobInfo | undefined {
    const record = this.#table.get(digest);
    return record && { digest, ...record };
  }

  has(digest: Digest): boolean {
    return this.#table.has(digest);
  }

  *entries(): Iterable<BlobInfo> {
    for (const [digest, record] of this.#table.entries()) yield { digest: digest as Digest, ...record };
  }

  /**
   * Adds a blob, or merges labels into the one that is there. Its age starts anew: garbage collection leaves young
   * blobs to those who just wrote them, and found them here.
   */
  async add(digest: Digest, size: number, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    const known = this.#table.get(digest);
    await this.#put(digest, {
      size,
      createdAt: Date.now(),
      labels: mergeLabels(known?.labels ?? {}, labels),
    });
  }

  async label(digest: Digest, labels: Readonly<Record<string, string>>): Promise<BlobInfo> {
    const known = this.#table.get(digest);
    if (!known) throw blobNotFound(digest);
    const record = { ...known, labels: mergeLabels(known.labels, labels) };
    await this.#put(digest, record);
    return { digest, ...record };
  }

  remove(digest: Digest): Promise<void> {
    return this.#kv.write((batch) => batch.remove(this.#table, digest));
  }

  #put(digest: Digest, record: BlobRecord): Promise<void> {
    return this.#kv.write((batch) => batch.put(this.#table, digest, record));
  }
}

/** An empty value removes its key. */
function mergeLabels(
  old: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries({ ...old, ...change }).filter(([, value]) => value !== ''));
}

/** File name of a blob below `blobs/sha256`. */
export function blobFileName(digest: Digest): string {
  if (!digest.startsWith('sha256:') || !isDigest(digest)) throw notSha256(digest);
  return hexOf(digest);
}
