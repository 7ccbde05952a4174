import fs from 'node:fs/promises';
import path from 'node:path';
import { LRUCache } from 'lru-cache';
import type {
  BlobDepot,
  BlobInfo,
  ByteRange,
  ContentStore,
  Descriptor,
  Ingest,
  IngestOptions,
  StagedBlob,
} from '../contracts/content.js';
import { canceled } from '../contracts/errors.js';
import type { Kv } from '../contracts/kv.js';
import type { Threads } from '../contracts/threads.js';
import { type Digest, hexOf, isDigest, sha256 } from '../util/digest.js';
import { newId } from '../util/identity.js';
import { KeyLock } from '../util/key-lock.js';
import { syncDirectory } from '../util/linux/sync.js';
import { isErrno } from '../util/linux/system-error.js';
import { BlobIndex, blobFileName } from './blob-index.js';
import { blobNotFound, blobTooLarge } from './errors.js';
import { fileHasher } from './file-hasher.js';
import { DoneIngest, FileIngest } from './ingest.js';
import { readAhead } from './read-ahead.js';

export interface ContentStoreOptions {
  readonly kv: Kv;
  /** Where blobs are hashed that arrived; absent: here. */
  readonly threads?: Threads;
  /** Interrupted ingests are kept this long for somebody to continue them. Default: one day. */
  readonly keepIngestsMs?: number;
}

const READ_WHOLE_LIMIT = 8 * 1024 * 1024;
/** Documents that every build reads: manifests and configs, up to this size each and this much together, in bytes. */
const DOCUMENT = 64 * 1024;
const DOCUMENTS = 4 * 1024 * 1024;

/**
 * Blobs in `<dir>/blobs/sha256/<hex>`, unfinished ones in `<dir>/ingest`.
 *
 * 1. A file is synced, then renamed into `blobs`, then recorded: what is recorded is whole. A file without a record
 *    is what a crash left, and goes at the next open.
 * 2. Removal is the other way round: first the record, then the file.
 * 3. With a depot, finished blobs may go there instead. A blob is here, or there, or in both.
 */
export class LocalContentStore implements ContentStore {
  readonly #blobs: string;
  readonly #ingests: string;
  readonly #index: BlobIndex;
  readonly #digest: (file: string) => Promise<Digest>;
  readonly #documents = new LRUCache<Digest, Uint8Array>({
    maxSize: DOCUMENTS,
    sizeCalculation: ({ length }) => length + 1,
  });
  readonly #writers = new KeyLock<Digest>();
  /** A blob that is being removed may be coming back at the same time. */
  readonly #moves = new KeyLock<void>();
  #depot: BlobDepot | undefined;
  #hands = false;

  private constructor(dir: string, index: BlobIndex, digest: (file: string) => Promise<Digest>) {
    this.#blobs = path.join(dir, 'blobs', 'sha256');
    this.#ingests = path.join(dir, 'ingest');
    this.#index = index;
    this.#digest = digest;
  }

  static async open(dir: string, options: ContentStoreOptions): Promise<LocalContentStore> {
    const store = new LocalContentStore(dir, new BlobIndex(options.kv), fileHasher(options.threads));
    // Also when the folder around it is open to others.
    await fs.mkdir(dir, { recursive: true, mode: 0o700 });
    await fs.mkdir(store.#blobs, { recursive: true });
    await fs.mkdir(store.#ingests, { recursive: true });
    await store.#sweep(options.keepIngestsMs ?? 24 * 3600_000);
    return store;
  }

  /** From now on blobs are found there, too; `hands` new ones over. */
  attach(depot: BlobDepot, { hands }: { readonly hands: boolean }): void {
    this.#depot = depot;
    this.#hands = hands;
  }

  async info(digest: Digest): Promise<BlobInfo | undefined> {
    return this.#index.get(digest) ?? this.#depot?.get(digest) ?? (await this.#depot?.find(digest));
  }

  path(digest: Digest): string {
    if (!this.#index.has(digest) && this.#depot?.get(digest)) return this.#depot.path(digest);
    return this.#ownPath(digest);
  }

  async ingest(options: IngestOptions, signal: AbortSignal): Promise<Ingest> {
    const present = await this.#present(options.key, options);
    if (present) return present;
    const turn = await this.#writers.enter(options.key, signal).catch((error: unknown) => {
      throw signal.aborted ? canceled(signal.reason) : error;
    });
    try {
      const left = await this.#present(turn.before ?? options.key, options);
      if (left) {
        turn.leave(turn.before);
        return left;
      }
      const file = path.join(this.#ingests, `${hexOf(sha256(options.key))}.part`);
      const home = {
        adopt: (from: string, digest: Digest, size: number) =>
          this.#adopt(from, digest, size, options.labels),
        digest: (from: string) => this.#digest(from),
        leave: turn.leave,
      };
      return await FileIngest.open(options.key, file, options.size, home);
    } catch (error) {
      turn.leave(undefined);
      throw error;
    }
  }

  async stage(): Promise<StagedBlob> {
    const file = path.join(this.#ingests, `${newId()}.stage`);
    await fs.writeFile(file, '', { flag: 'wx' });
    return {
      path: file,
      commit: async ({ digest, size, labels }) => {
        const handle = await fs.open(file, 'r');
        try {
          await handle.datasync();
        } finally {
          await handle.close();
        }
        await this.#adopt(file, digest, size, labels);
      },
      [Symbol.asyncDispose]: () => fs.rm(file, { force: true }),
    };
  }

  async writeBlob(data: Uint8Array, labels: Readonly<Record<string, string>> = {}): Promise<Digest> {
    const digest = sha256(data);
    if (await this.#present(digest, { key: digest, size: data.byteLength, labels })) return digest;
    await using staged = await this.stage();
    await fs.writeFile(staged.path, data);
    await staged.commit({ digest, size: data.byteLength, labels });
    return digest;
  }

  async readBlob(digest: Digest, limit = READ_WHOLE_LIMIT): Promise<Uint8Array> {
    const info = await this.#require(digest);
    if (info.size > limit) throw blobTooLarge(digest, info.size, limit);
    const known = this.#documents.get(digest);
    if (known) return known;
    const data = await fs.readFile(this.path(digest));
    if (data.length <= DOCUMENT) this.#documents.set(digest, data);
    return data;
  }

  async *read(descriptor: Descriptor, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const { size } = await this.#require(descriptor.digest);
    const end = range.length === undefined ? size : Math.min(size, (range.offset ?? 0) + range.length);
    const file = await fs.open(this.path(descriptor.digest), 'r');
    yield* readAhead(file, range.offset ?? 0, end, signal);
  }

  label(digest: Digest, labels: Readonly<Record<string, string>>): Promise<BlobInfo> {
    const elsewhere = !this.#index.has(digest) && this.#depot?.get(digest);
    return elsewhere ? this.#depot!.label(digest, labels) : this.#index.label(digest, labels);
  }

  async *list(): AsyncIterable<BlobInfo> {
    yield* this.#index.entries();
    for (const blob of this.#depot?.entries() ?? []) if (!this.#index.has(blob.digest)) yield blob;
  }

  async remove(digest: Digest, unwanted: (blob: BlobInfo) => boolean = () => true): Promise<boolean> {
    return this.#moves.run(digest, async () => {
      const own = this.#index.get(digest);
      const kept = this.#depot?.get(digest);
      const blobs = [own, kept].filter((blob) => blob !== undefined);
      if (blobs.length === 0 || !blobs.every(unwanted)) return false;
      if (own) {
        await this.#index.remove(digest);
        await fs.rm(this.#ownPath(digest), { force: true });
      }
      if (kept) await this.#depot?.release(digest);
      return true;
    });
  }

  #ownPath(digest: Digest): string {
    return path.join(this.#blobs, blobFileName(digest));
  }

  async #require(digest: Digest): Promise<BlobInfo> {
    const info = await this.info(digest);
    if (!info) throw blobNotFound(digest);
    return info;
  }

  /** A finished ingest, if the blob that `key` names is there. */
  async #present(key: string, { labels, size }: IngestOptions): Promise<Ingest | undefined> {
    const info = isDigest(key) ? await this.info(key) : undefined;
    if (!info || (size !== undefined && size !== info.size)) return undefined;
    if (this.#index.has(info.digest)) await this.#index.add(info.digest, info.size, labels);
    else if (!(await this.#foundInDepot(info.digest, labels ?? {}))) return undefined;
    return new DoneIngest(info.digest, info.size);
  }

  /** False if it has been removed meanwhile. */
  #foundInDepot(digest: Digest, labels: Readonly<Record<string, string>>): Promise<boolean> {
    return this.#moves.run(digest, async () => {
      if (!this.#depot?.get(digest)) return false;
      await this.#depot.label(digest, labels, { found: true });
      return true;
    });
  }

  /** Rules 1 and 3. `file` is synced. */
  async #adopt(
    file: string,
    digest: Digest,
    size: number,
    labels: Readonly<Record<string, string>> | undefined,
  ): Promise<void> {
    await this.#moves.run(digest, async () => {
      if (this.#depot && this.#hands) {
        await this.#depot.put(file, { digest, size, labels: labels ?? {} });
        await fs.rm(file, { force: true });
        return;
      }
      await fs.rename(file, this.#ownPath(digest));
      await syncDirectory(this.#blobs);
      await this.#index.add(digest, size, labels);
    });
  }

  async #sweep(keepIngestsMs: number): Promise<void> {
    const files = new Set(await fs.readdir(this.#blobs));
    for (const { digest } of this.#index.entries()) {
      if (!files.delete(hexOf(digest))) await this.#index.remove(digest);
    }
    await Promise.all([...files].map((name) => fs.rm(path.join(this.#blobs, name), { force: true })));
    const oldest = Date.now() - keepIngestsMs;
    for (const name of await fs.readdir(this.#ingests)) {
      const file = path.join(this.#ingests, name);
      const keep = name.endsWith('.part') && (await modifiedAt(file)) > oldest;
      if (!keep) await fs.rm(file, { force: true, recursive: true });
    }
  }
}

async function modifiedAt(file: string): Promise<number> {
  try {
    return (await fs.stat(file)).mtimeMs;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 0;
    throw error;
  }
}
