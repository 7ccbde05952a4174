/** The caches that one build exports. BuildKit: solver/llbsolver/solver.go runCacheExporters. */
import type {
  CacheBackend,
  CacheContext,
  CacheExport,
  CacheMountLayers,
  CacheRecord,
  InlineCache,
} from '../contracts/cache.js';
import type { CompressionOptions } from '../contracts/differ.js';
import { BuildError, invalid, isCanceled } from '../contracts/errors.js';
import type { ExportContext } from '../contracts/exporter.js';
import type { CacheEntry } from '../contracts/frontend.js';
import type { Logger } from '../contracts/logger.js';
import { type Progress, silentProgress, statusWhile } from '../contracts/progress.js';
import type { ImmutableRef, LayerOptions, RefLayers, RefStore } from '../contracts/refs.js';
import type { Contributions } from '../contracts/token.js';
import { isForeign } from '../solver/foreign.js';
import type { Job } from '../solver/job.js';
import type { ChainResult, KeyChain } from '../solver/key-chain.js';
import type { KeyStore } from '../solver/keys/key-store.js';
import type { Result, ResultStore } from '../solver/op.js';
import { DisposeStack } from '../util/dispose.js';
import { didYouMean } from '../util/nearest.js';
import { together } from '../util/together.js';
import type { CacheImports } from './cache-imports.js';
import { collectRecords } from './collect.js';
import { exportedMounts, type MountTrees } from './mount-exports.js';

export interface OpenCacheExport {
  readonly name: string;
  readonly export: CacheExport;
}
export interface OpenCacheExports {
  readonly exports: readonly OpenCacheExport[];
  readonly inline: InlineCache | undefined;
}

/** Looks every backend up and parses its attributes, before anything is solved. */
export function openCacheExports(
  entries: readonly CacheEntry[],
  backends: Contributions<CacheBackend>,
): OpenCacheExports {
  refuseDuplicates(entries);
  const exports: OpenCacheExport[] = [];
  let inline: InlineCache | undefined;
  for (const { type, attrs } of entries) {
    const backend = backends.get(type);
    if (backend?.inline) {
      inline = backend.inline(attrs);
      continue;
    }
    const opened = backend?.exporter?.(attrs);
    if (!opened) throw unknownExporter(type, backends.ids());
    exports.push({ name: opened.name ?? `exporting cache to ${type}`, export: opened });
  }
  return { exports, inline };
}

/** What every export of a build draws on. */
export interface CacheExportHost {
  readonly job: Job;
  readonly keys: KeyStore;
  readonly results: ResultStore;
  readonly imports: CacheImports;
  readonly mounts: MountTrees;
  readonly refs: () => RefStore;
  readonly session: CacheContext['session'];
  readonly logger: Logger;
}

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

function mountsOf(
  one: CacheExport,
  { imports, refs }: CacheExportHost,
  trees: MountTrees | undefined,
  held: DisposeStack,
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly CacheMountLayers[]> {
  const options = layerOptions(one.compression ?? gzip, true);
  return exportedMounts(one, { trees, imported: imports.mounts, refs, options, held }, progress, signal);
}

/** `held` keeps the layers until they are sent. */
function recordsOf(
  chains: readonly KeyChain[],
  { mode, compression = gzip, atOnce, owned = false }: RecordOptions,
  host: CacheExportHost,
  held: DisposeStack,
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly CacheRecord[]> {
  const layers = async (
    result: ChainResult,
    make: boolean,
    either: AbortSignal,
  ): Promise<RefLayers | undefined> => {
    const imported = compression.force ? undefined : importedLayers(result, host);
    if (imported) return imported;
    const ref = await (owned ? ownedRef : borrowedRef)(result, host, held, either);
    return ref?.layers(layerOptions(compression, make), progress, either);
  };
  const { keys } = host;
  return collectRecords(chains, { mode, layers, keys, ...(atOnce ? { atOnce } : {}) }, signal);
}

interface RecordOptions extends Pick<CacheExport, 'mode' | 'compression'> {
  readonly atOnce?: number;
  /** The job may let go of results meanwhile. */
  readonly owned?: boolean;
}

const gzip: CompressionOptions = { type: 'gzip' };

const layerOptions = (compression: CompressionOptions, make: boolean): LayerOptions => ({
  compression,
  mediaTypes: 'oci',
  ...(make ? {} : { onlyKnown: true }),
});

const importedLayers = (
  { held, recordId }: ChainResult,
  { imports }: CacheExportHost,
): RefLayers | undefined => (held || recordId === undefined ? undefined : imports.layers(recordId));

async function borrowedRef(
  result: ChainResult,
  host: CacheExportHost,
  held: DisposeStack,
  signal: AbortSignal,
): Promise<ImmutableRef | undefined> {
  const { held: own } = result;
  return own ? (own.value as ImmutableRef | undefined) : ownedRef(result, host, held, signal);
}

async function ownedRef(
  { held: own, recordId }: ChainResult,
  { results, job }: CacheExportHost,
  held: DisposeStack,
  signal: AbortSignal,
): Promise<ImmutableRef | undefined> {
  if (recordId === undefined) {
    const clone = own?.value?.clone();
    if (clone) await held.use(clone);
    return clone as ImmutableRef | undefined;
  }
  const loaded = isForeign(recordId)
    ? await adopted(recordId, job, signal)
    : await results.load(recordId, signal);
  if (loaded) await held.use(loaded);
  return loaded as ImmutableRef | undefined;
}

/** Imported layers are brought here only to be compressed anew. */
async function adopted(recordId: string, { caches }: Job, signal: AbortSignal): Promise<Result | undefined> {
  for (const cache of caches) {
    const adopting = cache.adopt(recordId, signal);
    if (!adopting) continue;
    const { value, kept } = await adopting;
    await kept;
    return value;
  }
  return undefined;
}

function refuseDuplicates(entries: readonly CacheEntry[]): void {
  const seen = new Set<string>();
  for (const { type, attrs } of entries) {
    const key = JSON.stringify([type, ...Object.entries(attrs).sort(([a], [b]) => (a < b ? -1 : 1))]);
    if (seen.has(key)) throw invalid('cache.duplicate-export', `duplicate cache exports [${type}]`);
    seen.add(key);
  }
}

function unknownExporter(type: string, known: readonly string[]): Error {
  return invalid('cache.unknown-exporter', `unknown cache exporter: "${type}"${didYouMean(type, known)}`, {
    hint: `Cache backends of this daemon: ${known.join(', ') || 'none'}.`,
  });
}
