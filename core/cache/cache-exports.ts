/** The caches that one build exports. BuildKit: solver/llbsolver/solver.go runCacheExporters. */
import { BuildError, isCanceled } from '../contracts/errors.js';
import type { ExportContext } from '../contracts/exporter.js';
import { silentProgress, statusWhile } from '../contracts/progress.js';
import type { KeyChain } from '../solver/key-chain.js';
import { DisposeStack } from '../util/dispose.js';
import { together } from '../util/together.js';
import { type CacheExportHost, mountsOf, recordsOf } from './export-records.js';
import type { OpenCacheExport, OpenCacheExports } from './open-exports.js';

export interface CacheExportScope extends CacheExportHost {
  /** Of the platforms of the build, by their ids. */
  readonly chains: ReadonlyMap<string, KeyChain>;
}

/** All at once; `failed` hears of those that could not be exported. Answers the merged response keys. */
export async function runCacheExports(
  { exports }: OpenCacheExports,
  scope: CacheExportScope,
  failed: (entry: OpenCacheExport) => void,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const { job, session } = scope;
  const run = async (
    entry: OpenCacheExport,
    either: AbortSignal,
  ): Promise<Readonly<Record<string, string>>> => {
    const { name, export: one } = entry;
    try {
      return await job.steps.step(name, (progress) =>
        statusWhile(progress, 'preparing build cache for export', async () => {
          await using held = new DisposeStack();
          const chains = [...scope.chains.values()];
          const records = await recordsOf(chains, one, scope, held, progress, either);
          const mounts = await mountsOf(one, scope, scope.mounts, held, progress, either);
          const context = { session, sessions: job.sessions, progress, mounts };
          // Awaited here, for leaving this scope lets go of the layers.
          return await one.export(records, context, either);
        }),
      );
    } catch (err) {
      if (!isCanceled(err)) failed(entry);
      if (!one.ignoreError || isCanceled(err)) throw err;
      scope.logger.warn('a cache was not exported', { cache: name, err });
      return {};
    }
  };
  const responses = await together(exports, run, signal);
  return Object.assign({}, ...responses);
}

/**
 * What has completed of a build that goes on, or has failed: every step that has a result counts, whatever the mode. Its
 * failure is a warning of its row, for it is no failure of the build.
 */
export async function runPartialExport(
  { name, export: one }: OpenCacheExport,
  { chains, what, atOnce }: PartialExport,
  host: CacheExportHost,
  signal: AbortSignal,
): Promise<boolean> {
  const { job, session, logger } = host;
  return job.steps.step(`${name}: ${what}`, async (progress) => {
    try {
      await using held = new DisposeStack();
      const { compression } = one;
      const options = { mode: 'max', atOnce, owned: true, ...(compression ? { compression } : {}) } as const;
      const records = await recordsOf(chains, options, host, held, progress, signal);
      // Steps of this build may still write to cache mounts, and are not waited for.
      const mounts = await mountsOf(one, host, undefined, held, progress, signal);
      const context = { session, sessions: job.sessions, progress, mounts, partial: true };
      await one.export(records, context, signal);
      return true;
    } catch (err) {
      if (signal.aborted) return false;
      const { message } = BuildError.from(err);
      progress.warn({ level: 1, short: `${what} was not exported: ${message}`, detail: [] });
      logger.warn('a cache was not exported', { cache: name, err });
      return false;
    }
  });
}

export interface PartialExport {
  readonly chains: readonly KeyChain[];
  /** For people. */
  readonly what: string;
  /** Results that are turned into layers at once. */
  readonly atOnce?: number;
}

/** What exporters of images ask for; absent when no cache is exported inline. */
export function inlineCache(
  { inline }: OpenCacheExports,
  scope: CacheExportScope,
): Pick<ExportContext, 'inlineCache'> {
  if (!inline) return {};
  return {
    inlineCache: async (id, layers, { compression }, signal) => {
      // A result that names no platform is the only one.
      const chain = scope.chains.get(id) ?? scope.chains.get('');
      if (!chain) return undefined;
      await using held = new DisposeStack();
      const options = { mode: 'min', compression } as const;
      const records = await recordsOf([chain], options, scope, held, silentProgress, signal);
      return inline.embed(records, layers);
    },
  };
}
