import type { Digest } from '../util/digest.js';
import type { Descriptor, GrowingFile } from './content.js';
import type { Mount } from './mount.js';
import { family, type Token, type TokenFamily, token } from './token.js';

export type Compression = 'uncompressed' | 'gzip' | 'zstd' | 'estargz';

export interface CompressionOptions {
  readonly type: Compression;
  /** Absent: the type's default (gzip and estargz 5, zstd 3). */
  readonly level?: number;
  /** Recompress layers that already have a blob of another type. */
  readonly force?: boolean;
}

/** Turns layer blobs into trees and trees into layer blobs. Its blobs live in the content store. */
export interface Differ {
  /**
   * Unpacks one layer (tar, tar+gzip, tar+zstd, by media type) into the topmost, writable layer of `onto`,
   * as overlay whiteouts where the tar says `.wh.`. Answers the digest of the uncompressed tar.
   */
  apply(
    layer: Descriptor,
    onto: readonly Mount[],
    options: ApplyOptions,
  ): Promise<{ readonly diffId: Digest }>;
  /**
   * The same while the layer still arrives. Whether its bytes are right is not known yet: what was unpacked is thrown
   * away if not. Absent: callers wait for the whole blob.
   */
  follow?(
    layer: Descriptor,
    arriving: GrowingFile,
    onto: readonly Mount[],
    options: ApplyOptions,
  ): Promise<{ readonly diffId: Digest }>;
  /**
   * Writes the difference between two trees as a layer blob into the content store. The bytes depend on
   * nothing but the trees and the options: not on threads, inode numbers or the order of directories on disk.
   */
  compare(lower: readonly Mount[], upper: readonly Mount[], options: CompareOptions): Promise<LayerBlob>;
  /**
   * Brings what makes each `upper` of its `lower` into the topmost, writable layer of `onto`, one after the other. Files
   * are hard links where that is possible, so `onto` is for committing, not for running processes in.
   */
  replay(changes: readonly TreeChange[], onto: readonly Mount[], signal: AbortSignal): Promise<void>;
  /**
   * The same layer under another compression. The tar inside stays as it is, byte for byte, and so does the
   * diffId: an image that is only repacked keeps its identity. Absent, and for estargz: callers unpack and compare.
   */
  recompress?(layer: Descriptor, options: RecompressOptions): Promise<LayerBlob>;
  /** Names of a layer's entries, as its tar has them. */
  names?(layer: Descriptor, signal: AbortSignal): Promise<readonly string[]>;
}
/** What lies between two trees; no mounts are an empty tree. */
export interface TreeChange {
  readonly lower: readonly Mount[];
  readonly upper: readonly Mount[];
}
export interface ApplyOptions {
  readonly signal: AbortSignal;
  /** Bytes of the blob read so far. */
  readonly onProgress?: (bytes: number) => void;
}
export interface CompareOptions {
  readonly compression: CompressionOptions;
  readonly mediaTypes: 'oci' | 'docker';
  /** Clamps modification times to this many seconds since the epoch. */
  readonly sourceDateEpoch?: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
}

export type RecompressOptions = Omit<CompareOptions, 'sourceDateEpoch'>;

/** A layer as it stands in an image: the blob, and the digest of its uncompressed tar. */
export interface LayerBlob {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}
export const Differs: TokenFamily<Differ> = family('Differ');

/** The differ for trees that lie on this machine; worker plugins with local snapshots bind it as theirs. */
export const LocalDiffer: Token<Differ> = token('LocalDiffer');
