/** The caches that one build exports. BuildKit: solver/llbsolver/solver.go runCacheExporters. */
import type {
  CacheBackend,
  CacheContext,
  CacheExport,
  CacheRecord,
  InlineCache,
} from '../contracts/cache.js';
import type { CompressionOptions } from '../contracts/differ.js';
import { invalid, isCanceled } from '../contracts/errors.js';
import type { ExportContext } from '../contracts/exporter.js';
import type { CacheEntry } from '../contracts/frontend.js';
import type { Logger } from '../contracts/logger.js';
import { type Progress, silentProgress, statusWhile } from '../contracts/progress.js';
import type { ImmutableRef, LayerOptions, RefLayers } from '../contracts/refs.js';
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

export interface OpenCacheExports {
  readonly exports: readonly { readonly name: string; readonly export: CacheExport }[];
  readonly inline: InlineCache | undefined;
}

/** Looks every backend up and parses its attributes, before anything is solved. */
export function openCacheExports(
  entries: readonly CacheEntry[],
  backends: Contributions<CacheBackend>,
): OpenCacheExports {
  refuseDuplicates(entries);
  const exports: { readonly name: string; readonly export: CacheExport }[] = [];
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

export interface CacheExportScope {
  readonly job: Job;
  readonly keys: KeyStore;
  readonly results: ResultStore;
  readonly imports: CacheImports;
  readonly session: CacheContext['session'];
  readonly logger: Logger;
  /** Of the platforms of the build, by their ids. */
  readonly chains: ReadonlyMap<string, KeyChain>;
}

/** All at once. Answers the merged response keys. */
export async function runCacheExports(
  { exports }: OpenCacheExports,
  scope: CacheExportScope,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const { job, session } = scope;
  const run = async (
    { name, export: one }: OpenCacheExports['exports'][number],
    either: AbortSignal,
  ): Promise<Readonly<Record<string, string>>> => {
    try {
      return await job.steps.step(name, (progress) =>
        statusWhile(progress, 'preparing build cache for export', async () => {
          await using held = new DisposeStack();
          const records = await recordsOf([...scope.chains.values()], one, scope, held, progress, either);
          return one.export(records, { session, sessions: job.sessions, progress }, either);
        }),
      );
    } catch (err) {
      if (!one.ignoreError || isCanceled(err)) throw err;
      scope.logger.warn('a cache was not exported', { cache: name, err });
      return {};
    }
  };
  const responses = await together(exports, run, signal);
  return Object.assign({}, ...responses);
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

/** `held` keeps the layers until they are sent. */
function recordsOf(
  chains: readonly KeyChain[],
  { mode, compression = { type: 'gzip' } }: Pick<CacheExport, 'mode' | 'compression'>,
  scope: CacheExportScope,
  held: DisposeStack,
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly CacheRecord[]> {
  const layers = async (
    result: ChainResult,
    make: boolean,
    either: AbortSignal,
  ): Promise<RefLayers | undefined> => {
    const imported = compression.force ? undefined : importedLayers(result, scope);
    if (imported) return imported;
    const ref = await refOf(result, scope, held, either);
    return ref?.layers(layerOptions(compression, make), progress, either);
  };
  return collectRecords(chains, { mode, layers, keys: scope.keys }, signal);
}

const layerOptions = (compression: CompressionOptions, make: boolean): LayerOptions => ({
  compression,
  mediaTypes: 'oci',
  ...(make ? {} : { onlyKnown: true }),
});

const importedLayers = (
  { held, recordId }: ChainResult,
  { imports }: CacheExportScope,
): RefLayers | undefined => (held || recordId === undefined ? undefined : imports.layers(recordId));

async function refOf(
  { held: own, recordId }: ChainResult,
  { results, job }: CacheExportScope,
  held: DisposeStack,
  signal: AbortSignal,
): Promise<ImmutableRef | undefined> {
  if (own) return own.value as ImmutableRef | undefined;
  if (recordId === undefined) return undefined;
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
