/**
 * Caches that travel. An exporter gets the key chains of a build with their layers, an importer answers them as
 * records that the solver asks like its own. Formats: wire facts E6.
 */
import type { Digest } from '../util/digest.js';
import type { ProgressSteps } from './progress.js';
import type { RefLayers } from './refs.js';
import type { Session } from './session.js';
import { family, type TokenFamily } from './token.js';

/** One cache backend: `registry`, `local`, `inline`, … */
export interface CacheBackend {
  /** Parses export attributes; absent when it cannot export. */
  exporter?(attrs: Readonly<Record<string, string>>): CacheExport;
  /** Parses import attributes; absent when it cannot import. */
  importer?(attrs: Readonly<Record<string, string>>): CacheImport;
}
export const CacheBackends: TokenFamily<CacheBackend> = family('CacheBackend');

export interface CacheContext {
  readonly session: () => Promise<Session>;
  readonly steps: ProgressSteps;
}

/** A record of the travelling form: a key, how to reach it, and its layers if it has a result. */
export interface CacheRecord {
  /** sha256 of `<cache map digest>@<output>`, see `rootKey`. */
  readonly digest: Digest;
  /** Per dep, the alternatives that reach it. */
  readonly inputs: readonly (readonly { readonly selector?: Digest; readonly record: CacheRecord }[])[];
  readonly result?: { readonly layers: RefLayers; readonly createdAt: number };
}

export interface CacheExport {
  readonly mode: 'min' | 'max';
  readonly ignoreError: boolean;
  export(
    records: readonly CacheRecord[],
    context: CacheContext,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>>>;
}
export interface CacheImport {
  import(context: CacheContext, signal: AbortSignal): Promise<readonly CacheRecord[]>;
}
