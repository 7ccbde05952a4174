import type { Digest } from '../util/digest.js';
import type { Platform } from '../util/platform.js';
import { family, type Token, type TokenFamily, token } from './token.js';

/** OCI descriptor. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly urls?: readonly string[];
  readonly artifactType?: string;
}

export interface BlobInfo {
  readonly digest: Digest;
  readonly size: number;
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * A label whose value is the digest of a blob that stays as long as the labelled one does; `name` tells several
 * apart. BuildKit and containerd agree on it.
 */
export const contentReferenceLabel = (name: string | number): string =>
  `containerd.io/gc.ref.content.${name}`;

/** Anything that can hand out a blob's bytes: the content store, a registry, a client's session. */
export interface ContentProvider {
  /** Where it reads, for people: `registry.example.com/app`. */
  readonly place?: string;
  /** Aborts when nothing can be read here any more: a client's store ends with its session. */
  readonly gone?: AbortSignal;
  /** Streams `[offset, offset+length)`; without length, to the end. NotFound when there is no such blob. */
  read(descriptor: Descriptor, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Told that what was read has another digest: where there are several places to read it from, another one is next. */
  distrust?(digest: Digest): void;
}
export interface ByteRange {
  readonly offset?: number;
  readonly length?: number;
  /** Whoever reads a whole blob verifies its digest, unless the caller says that it does so itself. */
  readonly unverified?: boolean;
}

/**
 * Blobs by digest, on disk and durable. A blob appears whole and verified or not at all; what an interrupted
 * writer left can be continued by a writer of the same `key`.
 *
 * ```ts
 * await using ingest = await content.ingest({ key: descriptor.digest, size: descriptor.size });
 * for await (const chunk of fetch(ingest.offset)) await ingest.write(chunk);
 * await ingest.commit(descriptor.digest);
 * ```
 */
export interface ContentStore extends ContentProvider {
  info(digest: Digest): Promise<BlobInfo | undefined>;
  /** Opens a writer. Two writers of one key: the second waits for the first, then finds the blob there. */
  ingest(options: IngestOptions, signal: AbortSignal): Promise<Ingest>;
  /** Writes a small blob (a manifest, a config) in one go and answers its descriptor's digest. */
  writeBlob(data: Uint8Array, labels?: Readonly<Record<string, string>>): Promise<Digest>;
  /** Reads a small blob whole; refuses more than `limit` bytes (default 8 MiB). */
  readBlob(digest: Digest, limit?: number): Promise<Uint8Array>;
  /** Merges labels; an empty value removes its key. */
  label(digest: Digest, labels: Readonly<Record<string, string>>): Promise<BlobInfo>;
  list(): AsyncIterable<BlobInfo>;
  /** Answers whether it was there. With `unwanted`, it stays if that says no when nobody is writing it any more. */
  remove(digest: Digest, unwanted?: (blob: BlobInfo) => boolean): Promise<boolean>;
  /** Where the blob lies on this machine, for worker threads that read it whole. */
  path(digest: Digest): string;
  /** A file that worker threads fill themselves, so that a blob's bytes need not pass the main thread. */
  stage(): Promise<StagedBlob>;
}
export const ContentStore: Token<ContentStore> = token('ContentStore');

export interface IngestOptions {
  /** Names the ingest for resuming: usually the digest that is expected. */
  readonly key: string;
  readonly size?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Disposing an ingest that was not committed keeps its bytes for a later writer; `abort` drops them. */
export interface Ingest extends AsyncDisposable {
  /** Bytes already there: continue from here. */
  readonly offset: number;
  /** True when the blob was committed by another writer while this one waited: nothing is left to do. */
  readonly done: boolean;
  /** Resolves when the chunk is taken: await it for back-pressure. */
  write(chunk: Uint8Array): Promise<void>;
  /** The bytes for somebody who reads along, from the first one on. */
  follow(): Promise<GrowingFile>;
  /**
   * Verifies size and digest, makes the blob durable; a mismatch is `content.digest-mismatch` and drops the bytes.
   * `onVerified` is called when the bytes are right, before the disk has them.
   */
  commit(
    expected?: Digest,
    onVerified?: () => void,
  ): Promise<{ readonly digest: Digest; readonly size: number }>;
  abort(): Promise<void>;
}

/** A file that somebody is still writing. Dispose it when nobody reads it any more. */
export interface GrowingFile extends AsyncDisposable {
  /** Open for reading, in every thread. Read at positions: threads share its offset. */
  readonly fd: number;
  /**
   * Its size as soon as that is more than `beyond`; `beyond` itself when it is complete. Rejects when its writer gave
   * it up.
   */
  grown(beyond: number): Promise<number>;
}

/** Disposing one that was not committed removes the file. */
export interface StagedBlob extends AsyncDisposable {
  /** An empty file. */
  readonly path: string;
  /** Makes the file a durable blob. Its writer computed digest and size while writing: they are trusted. */
  commit(blob: {
    readonly digest: Digest;
    readonly size: number;
    readonly labels?: Readonly<Record<string, string>>;
  }): Promise<void>;
}

/**
 * Another program's store, in which finished blobs are kept when a worker brings one (containerd's). The engine's store
 * hands it every new blob and reads its blobs where they lie; what it had before stays where it is.
 *
 * What is held here for the engine is known without asking: {@link BlobDepot.get}. Other users of the store may have put
 * more there; `find` holds that, too, from then on.
 */
export interface BlobDepot {
  get(digest: Digest): BlobInfo | undefined;
  entries(): Iterable<BlobInfo>;
  find(digest: Digest): Promise<BlobInfo | undefined>;
  /** Of a blob that is held. */
  path(digest: Digest): string;
  /** Copies the file, whose digest and size are right. Durable when it resolves; a blob that is there is taken for it. */
  put(file: string, blob: Pick<BlobInfo, 'digest' | 'size' | 'labels'>): Promise<void>;
  /** Merges labels; its age starts anew if it was `found` by somebody who is about to use it. */
  label(
    digest: Digest,
    labels: Readonly<Record<string, string>>,
    options?: { readonly found: boolean },
  ): Promise<BlobInfo>;
  /** The engine has no more use for it: the store may remove it. */
  release(digest: Digest): Promise<void>;
}
export const BlobDepots: TokenFamily<BlobDepot> = family('BlobDepot');

/**
 * Keeps blobs and refs alive while no record names them yet. A lease without holder (its process died) is
 * swept at the next start.
 */
export interface Leases {
  create(): Promise<Lease>;
  /** Keeps exactly `digests` for `owner` (`history:<ref>`), over restarts, until `unpin`. */
  pin(owner: string, digests: readonly Digest[]): Promise<void>;
  unpin(owner: string): Promise<void>;
}
export interface Lease extends AsyncDisposable {
  readonly id: string;
  holdBlob(digest: Digest): Promise<void>;
}
export const Leases: Token<Leases> = token('Leases');
