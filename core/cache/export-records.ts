/** What a cache exporter is handed: the records below key chains, and cache mounts, with their layers. */
import type { CacheContext, CacheExport, CacheMountLayers, CacheRecord } from '../contracts/cache.js';
import type { CompressionOptions } from '../contracts/differ.js';
import type { Logger } from '../contracts/logger.js';
import type { Progress } from '../contracts/progress.js';
import type { ImmutableRef, LayerOptions, RefLayers, RefStore } from '../contracts/refs.js';
import { isForeign } from '../solver/foreign.js';
import type { Job } from '../solver/job.js';
import type { ChainResult, KeyChain } from '../solver/key-chain.js';
import type { KeyStore } from '../solver/keys/key-store.js';
import type { Result, ResultStore } from '../solver/op.js';
import type { DisposeStack } from '../util/dispose.js';
import type { CacheImports } from './cache-imports.js';
import { collectRecords } from './collect.js';
import { exportedMounts, type MountTrees } from './mount-exports.js';

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

export function mountsOf(
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
export function recordsOf(
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
