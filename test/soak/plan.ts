/** A build to do, and what must come out of it. */
import type { CacheSpec } from '../../client/caches.js';
import type { LlbDefinition } from '../../core/contracts/frontend.js';
import type { FileSet } from './file-set.js';

export interface Plan {
  /** For messages. */
  readonly about: string;
  /** Absent: the Dockerfile in the folder `dockerfile`. */
  readonly definition?: LlbDefinition;
  readonly opts: Readonly<Record<string, string>>;
  readonly folders: ReadonlyMap<string, string>;
  readonly secrets: ReadonlyMap<string, string>;
  readonly caches: Caches;
  readonly expected: Expected;
}

/** `fails`: a step is meant to, and the message must say so. */
export type Expected = { readonly files: FileSet } | { readonly fails: RegExp };

export interface Caches {
  readonly exports: readonly CacheSpec[];
  readonly imports: readonly CacheSpec[];
}

/** A caller with a context folder of its own, which no other caller writes to. */
export interface Site {
  readonly base: string;
  readonly registry: string;
  readonly context: string;
  /** A folder for whatever else, Dockerfiles and results. */
  readonly scratch: string;
}
