/** The caches of one build: what it imports, and what it exports. */
import type { CacheBackend, CacheContext } from '../contracts/cache.js';
import type { ExportContext } from '../contracts/exporter.js';
import type { CacheEntry } from '../contracts/frontend.js';
import type { Logger } from '../contracts/logger.js';
import type { RefStore } from '../contracts/refs.js';
import type { Contributions } from '../contracts/token.js';
import type { Job } from '../solver/job.js';
import type { KeyChain } from '../solver/key-chain.js';
import type { KeyStore } from '../solver/keys/key-store.js';
import type { Edge, ResultStore } from '../solver/op.js';
import type { Clock } from '../util/clock.js';
import { type CacheExportScope, inlineCache, runCacheExports, runPartialExport } from './cache-exports.js';
import { CacheImports } from './cache-imports.js';
import type { CacheExportHost } from './export-records.js';
import type { MountTrees } from './mount-exports.js';
import { openCacheExports } from './open-exports.js';
import { PartialExports } from './partial-exports.js';

export interface CacheServices {
  readonly backends: Contributions<CacheBackend>;
  readonly keys: KeyStore;
  readonly results: ResultStore;
  /** Of the worker that gets what is imported. */
  readonly refs: () => RefStore;
  /** Of the same worker. */
  readonly mounts: MountTrees;
  readonly logger: Logger;
  readonly clock?: Clock;
}

export interface CacheRequest {
  readonly exports: readonly CacheEntry[];
  readonly imports: readonly CacheEntry[];
}

/** Parses what is to be exported: fails before anything is built. */
export function openBuildCaches(request: CacheRequest, services: CacheServices): OpenBuildCaches {
  const exports = openCacheExports(request.exports, services.backends);
  return (job, session) => {
    const { keys, results, logger, backends, clock, mounts, refs } = services;
    const imports = new CacheImports(job, { backends, keys, results, logger, mounts, refs: refs() }, session);
    const host: CacheExportHost = { job, keys, results, imports, mounts, refs, session, logger };
    const partial = new PartialExports({
      exports: exports.exports,
      completed: () => job.cacheChains(),
      run: (entry, part, signal) => runPartialExport(entry, part, host, signal),
      ...(clock ? { clock } : {}),
    });
    const scope = (edges: ResultEdges): CacheExportScope => {
      const chains = new Map<string, KeyChain>();
      for (const [id, edge] of edges) {
        const chain = edge && job.cacheChain(edge);
        if (chain) chains.set(id, chain);
      }
      return { ...host, chains };
    };
    return {
      import: (entries, signal) => imports.import(entries, signal),
      partial,
      export: async (edges, signal) => {
        await partial.end();
        return runCacheExports(exports, scope(edges), (entry) => partial.giveUp(entry), signal);
      },
      inline: (edges) => inlineCache(exports, scope(edges)),
      [Symbol.dispose]: () => imports[Symbol.dispose](),
    };
  };
}

export type OpenBuildCaches = (job: Job, session: CacheContext['session']) => BuildCaches;

/** Of each platform of a result, by its id. */
export type ResultEdges = ReadonlyMap<string, Edge | undefined>;

/** Disposing it takes back what imports offer to steps. */
export interface BuildCaches extends Disposable {
  /** Until these and all that were asked for before are there, or have failed: that is no error. */
  import(entries: readonly CacheEntry[], signal: AbortSignal): Promise<void>;
  /** Exports without a result. They end before those of the result begin. */
  readonly partial: PartialExports;
  /** Answers keys for the response. */
  export(edges: ResultEdges, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** What exporters of images put into configs. */
  inline(edges: ResultEdges): Pick<ExportContext, 'inlineCache'>;
}
