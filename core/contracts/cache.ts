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
}

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
  /** Of the layers that it gets; default: gzip for those that are new. */
  readonly compression?: CompressionOptions;
  /** Every record that others rest on comes before them. Answers keys for the build's response. */
  export(
    records: readonly CacheRecord[],
    context: CacheContext,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>>>;
}
export interface CacheImport {
  /** Names it among the imports of a build: `importing cache manifest from <name>`. */
  readonly name?: string;
  import(context: CacheContext, signal: AbortSignal): Promise<readonly CacheRecord[]>;
}
export interface InlineCache {
  /** What goes into the config of an image with these layers; undefined when no record's layers are among them. */
  embed(records: readonly CacheRecord[], layers: readonly RefLayer[]): Uint8Array | undefined;
}
