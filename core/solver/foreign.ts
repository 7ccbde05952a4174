/**
 * Caches that came from elsewhere for one job: its tasks are looked up there too. Keys and results of theirs mean
 * nothing to the solver's own store until they are adopted, so a build that imports a cache changes nothing for builds
 * that do not.
 */
import type { Digest } from '../util/digest.js';
import type { KeyId } from './keys/key-id.js';
import type { StoredResult } from './keys/key-tables.js';
import type { OriginName } from './keys/link.js';
import type { Result } from './op.js';

export interface ForeignCache {
  /** Where it came from, for people. */
  readonly name: string;
  /** The keys that `origin` leads to: root keys, or `random:…`. */
  targets(origin: OriginName): readonly KeyId[];
  /** Whether it has such a step (`rootKey` of its cache map), whatever its inputs: for explanations. */
  knows(step: Digest): boolean;
  /** Newest first; their ids are made with {@link foreignId}. */
  results(key: KeyId): readonly StoredResult[];
  /** Brings a result into the solver's stores, with the keys that lead to it. undefined: it is another cache's. */
  adopt(resultId: string, signal: AbortSignal): Promise<Adopted> | undefined;
}

export interface Adopted {
  /** The caller's own. */
  readonly value: Result | undefined;
  /** Its name in the result store. */
  readonly recordId: string;
  /** What it is found by in the key store from now on. */
  readonly keys: readonly KeyId[];
  /** Settles when the key store has it durably. */
  readonly kept: Promise<void>;
}

const prefix = 'foreign:';

export const foreignId = (id: string): string => `${prefix}${id}`;

export const isForeign = (resultId: string): boolean => resultId.startsWith(prefix);
