/**
 * Refs are counted handles on records; a record is one layer of a tree, in a worker's snapshotter or still
 * only known as a blob (lazy). Every ref that a function hands out is the receiver's to dispose.
 */
import type { Digest } from '../util/digest.js';
import type { ContentProvider } from './content.js';
import type { CompressionOptions, LayerBlob } from './differ.js';
import type { LayerStack, Mount } from './mount.js';
import type { Progress } from './progress.js';

/** BuildKit: client/diskusage.go. */
export type RecordType =
  | 'internal'
  | 'frontend'
  | 'source.local'
  | 'source.git.checkout'
  | 'exec.cachemount'
  | 'regular';

export interface RefOptions {
  readonly description: string;
  readonly type?: RecordType;
  /** Found again by `RefStore.find`, as long as the record lives: `local:<key>`, `cachemount:<id>`. */
  readonly index?: string;
  /** Blobs that stay as long as the record does: an image's manifests and config. */
  readonly blobs?: readonly Digest[];
}

interface RefBase extends AsyncDisposable {
  /** The record's id: 25 base-36 characters. */
  readonly id: string;
  readonly workerId: string;
  /**
   * Small values kept with the record, durably (a content hash tree, a received file list). JSON or bytes.
   */
  readonly metadata: RefMetadata;
}

export interface RefMetadata {
  get(key: string): Uint8Array | undefined;
  /** An undefined value removes the key. */
  set(key: string, value: Uint8Array | undefined): Promise<void>;
}

/** An immutable tree. */
export interface ImmutableRef extends RefBase {
  readonly mutable: false;
  /** One more handle on the same record. */
  clone(): ImmutableRef;
  /** Read-only mounts of the whole tree; pulls and unpacks what is lazy first, reporting to `progress`. */
  mounts(progress: Progress, signal: AbortSignal): Promise<readonly Mount[]>;
  /** The same tree as directories, without a mount. */
  view(progress: Progress, signal: AbortSignal): Promise<LayerStack>;
  /** True as long as the tree is not here: a layer is not unpacked, or the inputs are not merged yet. */
  readonly lazy: boolean;
  /**
   * The tree as image layers, bottom first, computing (in worker threads, several at once) those blobs that do
   * not exist yet. Lazy layers are described, not pulled: read them through `provider`.
   */
  layers(compression: LayerOptions, progress: Progress, signal: AbortSignal): Promise<RefLayers>;
}

export interface LayerOptions {
  readonly compression: CompressionOptions;
  readonly mediaTypes: 'oci' | 'docker';
  readonly sourceDateEpoch?: number;
  /** Compute nothing: NotFound (`ref.no-blob`) when some layer has no suitable blob yet. */
  readonly onlyKnown?: boolean;
}

export interface RefLayer extends LayerBlob {
  readonly createdAt: number;
  readonly description: string;
}

export interface RefLayers {
  readonly layers: readonly RefLayer[];
  readonly provider: ContentProvider;
  /** Names of the entries of the nth layer, as its tar has them. Absent where layers are not read. */
  names?(layer: number, signal: AbortSignal): Promise<readonly string[]>;
}

/** A tree that one owner may write. */
export interface MutableRef extends RefBase {
  readonly mutable: true;
  /** Writable mounts. */
  mounts(progress: Progress, signal: AbortSignal): Promise<readonly Mount[]>;
  /** Directories; `layers[0]` is the writable one. */
  view(progress: Progress, signal: AbortSignal): Promise<LayerStack>;
  /** Turns it into an immutable ref, durably. This ref is spent afterwards; disposing it is a no-op. */
  commit(): Promise<ImmutableRef>;
  /** Keeps the record, still mutable, for a later `find` (cache mounts). Without it, disposing deletes. */
  retain(): Promise<void>;
  /**
   * What the tree has beyond `on`, as one layer, whatever it was made of. Nobody may write to it meanwhile. The blob is
   * kept as long as those that nobody names are: hold it (`fromLayers`) for longer.
   */
  pack(
    on: ImmutableRef | undefined,
    options: Omit<LayerOptions, 'onlyKnown'>,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<RefLayers>;
}

/** A layer that is not unpacked here: where its blob comes from and what it will be. */
export interface LazyLayer extends LayerBlob {
  readonly createdAt: number;
  readonly description: string;
  readonly provider: ContentProvider;
  /** The step that pulling is told as; absent: that of who needs the tree. */
  readonly progress?: Progress;
}

/** Layers of a ref as those that a ref can be made of, in whichever store. */
export const lazyLayersOf = ({ layers, provider }: RefLayers): readonly LazyLayer[] =>
  layers.map((layer) => ({ ...layer, provider }));

export interface RefStore {
  /** A new writable layer on `parent` (undefined: an empty tree). The parent is held by the record. */
  create(
    parent: ImmutableRef | undefined,
    options: RefOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<MutableRef>;
  /**
   * The ref for a chain of layers, bottom first; layers that are already here (same chain id) are shared. Empty
   * for no layers: undefined. Nothing is downloaded until the tree is needed.
   */
  fromLayers(layers: readonly LazyLayer[], options: RefOptions): Promise<ImmutableRef | undefined>;
  /**
   * One tree of several: later ones win, what their layers delete is gone. As layers it is theirs, one after the
   * other. No tree is made until it is needed. Undefined inputs are empty trees, and so is an undefined result.
   */
  merge(
    inputs: readonly (ImmutableRef | undefined)[],
    options: RefOptions,
  ): Promise<ImmutableRef | undefined>;
  /**
   * What makes `upper` of `lower`, deletions included; merged onto something it does the same there. Where `upper`
   * was built on `lower` it is the layers between them, otherwise one layer that is computed when it is needed.
   */
  diff(
    lower: ImmutableRef | undefined,
    upper: ImmutableRef | undefined,
    options: RefOptions,
  ): Promise<ImmutableRef | undefined>;
  /**
   * Says where a chain of layers can be had from, for those of it that are records, but not downloaded yet: who made
   * the records may have lost the right to read them, or the way. The newest is asked first.
   */
  offerLayers(layers: readonly LazyLayer[]): void;
  /** NotFound (`ref.not-found`) when the record is gone. */
  get(id: string): Promise<ImmutableRef>;
  /** Whether `get` would find it. Cheap and synchronous. */
  has(id: string): boolean;
  /**
   * Whether the whole tree of `get(id)` is here or has somewhere to come from. What was imported and never downloaded
   * is lost with the last provider.
   */
  isObtainable(id: string): Promise<boolean>;
  /** Immutable records under an index, newest first. */
  find(index: string): Promise<readonly ImmutableRef[]>;
  /** The retained mutable record under an index, if nobody else holds it now. */
  findMutable(index: string): Promise<MutableRef | undefined>;
  /** The indexes of retained mutable records that begin with `prefix`, of the one used last first. */
  mutableIndexes(prefix: string): readonly string[];
  usage(filter: readonly string[]): Promise<readonly UsageRecord[]>;
  /** Removes what nobody uses; answers each removed record as it goes. */
  prune(options: PruneOptions, signal: AbortSignal): AsyncIterable<UsageRecord>;
  /** The same by several rules, one after the other. */
  collect(rules: readonly GcRule[], keepBlobsSince: number, signal: AbortSignal): AsyncIterable<UsageRecord>;
  /** What `prune` would do with each record if nothing changed meanwhile; removes nothing. */
  planPrune(rule: GcRule, signal: AbortSignal): Promise<readonly PruneVerdict[]>;
  /** Removes those of the records that nobody uses, without measuring them. */
  removeUnused(ids: readonly string[]): Promise<void>;
  /** Keeps a record from garbage collection until released: solver results in the key store do this. */
  hold(id: string, holder: string): Promise<void>;
  release(id: string, holder: string): Promise<void>;
  /** Handles that nobody has disposed yet, for those who look for leaks. */
  openHandles?(): readonly { readonly id: string }[];
}

/** BuildKit: api/services/control/control.proto UsageRecord. Times in milliseconds, sizes in bytes. */
export interface UsageRecord {
  readonly id: string;
  readonly mutable: boolean;
  readonly inUse: boolean;
  readonly size: number;
  readonly parents: readonly string[];
  readonly createdAt: number;
  readonly lastUsedAt: number | undefined;
  readonly usageCount: number;
  readonly description: string;
  readonly recordType: RecordType;
  readonly shared: boolean;
}

/** What may be removed, and how much of it. BuildKit: client/prune.go PruneInfo. Sizes in bytes, 0 for no such limit. */
export interface GcRule {
  readonly filter: readonly string[];
  /** Also internal and frontend records. */
  readonly all: boolean;
  readonly keepDurationMs: number;
  readonly reservedSpace: number;
  readonly maxUsedSpace: number;
  readonly minFreeSpace: number;
}

export interface PruneOptions extends GcRule {
  /**
   * Blobs that nobody names go with what named them, but stay if they were written or found since then, in Unix
   * milliseconds: whoever did may be about to name them. Default: ten minutes ago.
   */
  readonly keepBlobsSince?: number;
}

/** What a rule would do with a record. */
export interface PruneVerdict {
  readonly record: UsageRecord;
  readonly goes: boolean;
  /** One sentence. */
  readonly because: string;
}

/** Finds content digests of paths inside refs, computed once per ref and kept with it. Wire facts E4. */
export interface ContentHasher {
  /** Digest of one path selection. `ref` undefined is scratch. */
  digest(
    ref: ImmutableRef | undefined,
    path: string,
    options: ContentHashOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<Digest>;
}
export interface ContentHashOptions {
  readonly wildcard: boolean;
  readonly followLinks: boolean;
  readonly includePatterns: readonly string[];
  readonly excludePatterns: readonly string[];
  readonly requiredPaths?: readonly string[];
}

/**
 * Metadata of a ref that came from a client: the list of its files as the thread that received them wrote it down
 * (core/transfer/received-list.ts), with digests. The next transfer starts from it, content hashes read from it.
 */
export const receivedList = 'received-list.v1';

/** One line of that list. The root itself is not in it. */
export interface ReceivedEntry extends FileStat {
  /**
   * sha256 of `tarsumHeader(entry)` (core/util/tarsum.ts) followed by the content, hex: the record digest E4.1,
   * computed while the file arrived. With it, a content hash of the tree reads no file again.
   */
  readonly recordSha256?: string;
}

/** One entry of a tree as it travels. */
export interface FileStat {
  /** Relative, clean, `/`-separated. */
  readonly path: string;
  /** Go os.FileMode bits, not st_mode (wire facts E3.3). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly modTime: bigint;
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
  readonly xattrs: Readonly<Record<string, Uint8Array>>;
}

/** What a file has that is root's, and nothing but its bytes. */
export const plainFile = {
  uid: 0,
  gid: 0,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: {},
} as const;
