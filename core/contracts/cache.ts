/**
 * Caches that travel. An exporter gets the key chains of a build with their layers, an importer answers them as
 * records that the solver asks like its own. Formats: wire facts E6.
 */
import type { Digest } from '../util/digest.js';
import type { CompressionOptions } from './differ.js';
import type { Progress } from './progress.js';
import type { RefLayer, RefLayers } from './refs.js';
import type { Session, SessionGroup } from './session.js';
import { family, type TokenFamily } from './token.js';

/** One cache backend: `registry`, `local`, `inline`, … */
export interface CacheBackend {
  /** Parses export attributes; absent when it cannot export. */
  exporter?(attrs: Readonly<Record<string, string>>): CacheExport;
  /** Parses import attributes; absent when it cannot import. */
  importer?(attrs: Readonly<Record<string, string>>): CacheImport;
  /** Parses export attributes of a cache that travels inside the image, and is exported with it. */
  inline?(attrs: Readonly<Record<string, string>>): InlineCache;
}
export const CacheBackends: TokenFamily<CacheBackend> = family('CacheBackend');

export interface CacheContext {
  /** The client that asked for the build. */
  readonly session: () => Promise<Session>;
  readonly sessions: SessionGroup;
  /** Of the row that the import or export has. */
  readonly progress: Progress;
  /** Of a build that goes on or has failed: there is no response that tells the client what was written. */
  readonly partial?: boolean;
}

/** Cache mounts of one id that lie on the same base, and have content here. */
export interface KnownCacheMount {
  /** As LLB has it. */
  readonly id: string;
  /** Id of the ref that they lie on. */
  readonly base: string | undefined;
}

/** What the cache mounts of one id have gathered. */
export interface CacheMountLayers {
  /** As LLB has it: a Dockerfile's `id=npm` is `/npm`, with a namespace `<namespace>/npm`. */
  readonly id: string;
  /** The mount lies on a tree (`from=`, or one made for `uid=` or `mode=`): the layers are what it has beyond that. */
  readonly based: boolean;
  readonly layers: RefLayers;
}

export interface CacheExportContext extends CacheContext {
  /** Those that {@link CacheExport.mounts} names and that have content. */
  readonly mounts?: readonly CacheMountLayers[];
}
export interface CacheImportContext extends CacheContext {
  /** Told of the cache mounts that were exported along. Their layers are read when a step needs them. */
  mounts?(found: readonly CacheMountLayers[]): void;
}

/**
 * Says of a blob in a content store of the client that it is the manifest of the store's cache; its value is the media
 * type. For exports that no response tells of.
 */
export const cacheManifestLabel = 'buildkit.cache.manifest';

/** A record of the travelling form: a key, how to reach it, and its layers if it has a result. */
export interface CacheRecord {
  /** sha256 of `<cache map digest>@<output>`, see `rootKey`. */
  readonly digest: Digest;
  /** Per dep, the alternatives that reach it. No record rests on itself. */
  readonly inputs: readonly (readonly { readonly selector?: Digest; readonly record: CacheRecord }[])[];
  /** Milliseconds since the epoch. */
  readonly result?: { readonly layers: RefLayers; readonly createdAt: number };
}

export interface CacheExport {
  /** Name of its progress row. Default: `exporting cache to <id of the backend>`. */
  readonly name?: string;
  /** `min`: layers of the result; `max`: those of every step. */
  readonly mode: 'min' | 'max';
  /** A failure is shown, and the build goes on. */
  readonly ignoreError: boolean;
  /** When the build fails, what had completed is exported all the same. */
  readonly onFailure?: boolean;
  /** Milliseconds after which what has completed is exported while the build still runs, again and again. */
  readonly every?: number;
  /** Of the layers that it gets; default: gzip for those that are new. */
  readonly compression?: CompressionOptions;
  /** Names of cache mounts whose content goes along, as a Dockerfile has them. */
  readonly mounts?: readonly string[];
  /** Every record that others rest on comes before them. Answers keys for the build's response. */
  export(
    records: readonly CacheRecord[],
    context: CacheExportContext,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>>>;
}
export interface CacheImport {
  /** Names it among the imports of a build: `importing cache manifest from <name>`. */
  readonly name?: string;
  import(context: CacheImportContext, signal: AbortSignal): Promise<readonly CacheRecord[]>;
}
export interface InlineCache {
  /** What goes into the config of an image with these layers; undefined when no record's layers are among them. */
  embed(records: readonly CacheRecord[], layers: readonly RefLayer[]): Uint8Array | undefined;
}
