/**
 * Cache mounts that travel with a cache. What this daemon has of one is packed; of one that it has nothing of, what the
 * build imported goes on as it is: a build whose steps were all cached does not lose what they had gathered.
 */
import type { CacheExport, CacheMountLayers, KnownCacheMount } from '../contracts/cache.js';
import { type Progress, statusWhile } from '../contracts/progress.js';
import {
  type ImmutableRef,
  type LayerOptions,
  lazyLayersOf,
  type RefLayers,
  type RefStore,
} from '../contracts/refs.js';
import type { DisposeStack } from '../util/dispose.js';
import { didYouMean } from '../util/nearest.js';
import { together } from '../util/together.js';

/** The cache mounts of the engine. */
export interface MountTrees {
  /** Those with content, of the one used last first. */
  known(): readonly KnownCacheMount[];
  /** As one layer, when nobody writes there; undefined when it is gone by then. */
  pack(
    mount: KnownCacheMount,
    options: LayerOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<RefLayers | undefined>;
  /** What steps of that session's builds begin with where there is no content yet. */
  offer(session: string, mounts: readonly CacheMountLayers[]): Disposable;
}
export interface MountExportScope {
  /** Absent: only what was imported goes on, for steps may be writing to what is here. */
  readonly trees: MountTrees | undefined;
  readonly imported: readonly CacheMountLayers[];
  readonly refs: () => RefStore;
  readonly options: LayerOptions;
  /** Keeps what is read until it is sent. */
  readonly held: DisposeStack;
}

export async function exportedMounts(
  { mounts: names = [] }: Pick<CacheExport, 'mounts'>,
  scope: MountExportScope,
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly CacheMountLayers[]> {
  if (names.length === 0) return [];
  const known = scope.trees?.known() ?? [];
  const all = [...known, ...scope.imported].map(({ id }) => id);
  const found = new Map<string, (signal: AbortSignal) => Promise<CacheMountLayers | undefined>>();
  for (const name of names) {
    const local = known.filter(({ id }) => isCalled(name, id));
    const imported = scope.imported.filter(({ id }) => isCalled(name, id));
    if (local.length + imported.length === 0 && scope.trees) warnUnknown(name, all, progress);
    for (const mount of local) {
      const based = mount.base !== undefined;
      const key = keyOf({ id: mount.id, based });
      // Trees of one id on several bases: a step of another daemon begins with the one that was used last.
      if (!found.has(key)) found.set(key, (either) => packed(name, mount, scope, progress, either));
    }
    for (const mount of imported) {
      const key = keyOf(mount);
      if (!found.has(key)) found.set(key, (either) => passedOn(mount, scope, progress, either));
    }
  }
  const exported = await together([...found.values()], (read, either) => read(either), signal);
  return exported.filter((mount) => mount !== undefined);
}

/** A Dockerfile's ids get a namespace and a slash before them; without a namespace only the slash. */
const isCalled = (name: string, id: string): boolean => id === name || id === `/${name}`;

const nameOf = (id: string): string => (id.startsWith('/') ? id.slice(1) : id);

const keyOf = ({ id, based }: Pick<CacheMountLayers, 'id' | 'based'>): string => `${based} ${id}`;

async function packed(
  name: string,
  mount: KnownCacheMount,
  { trees, options, refs, held }: MountExportScope,
  progress: Progress,
  signal: AbortSignal,
): Promise<CacheMountLayers | undefined> {
  const packed = await statusWhile(progress, `reading cache mount ${name}`, () =>
    trees!.pack(mount, options, progress, signal),
  );
  if (!packed) return undefined;
  const ref = await refs().fromLayers(lazyLayersOf(packed), {
    description: `cache mount "${mount.id}", exported`,
    type: 'exec.cachemount',
  });
  if (ref) await holdWhileSent(ref, refs(), held);
  return { id: mount.id, based: mount.base !== undefined, layers: packed };
}

/** A blob that no record names may be collected before it has been sent. Nobody needs the record after that. */
async function holdWhileSent(ref: ImmutableRef, refs: RefStore, held: DisposeStack): Promise<void> {
  await held.defer(() => refs.removeUnused([ref.id]));
  await held.use(ref);
}

/** Brought here only to be compressed anew. */
async function passedOn(
  mount: CacheMountLayers,
  { options, refs, held }: MountExportScope,
  progress: Progress,
  signal: AbortSignal,
): Promise<CacheMountLayers> {
  if (!options.compression.force) return mount;
  const description = `cache mount "${mount.id}", imported`;
  const ref = await refs().fromLayers(lazyLayersOf(mount.layers), { description, type: 'exec.cachemount' });
  if (!ref) return mount;
  await held.use(ref);
  return { ...mount, layers: await ref.layers(options, progress, signal) };
}

function warnUnknown(name: string, known: readonly string[], progress: Progress): void {
  const names = [...new Set(known.map(nameOf))];
  progress.warn({
    level: 1,
    short: `cache mount "${name}" is not exported: there is none with that id${didYouMean(name, names)}`,
    detail: [`Cache mounts with content: ${names.join(', ') || 'none'}.`],
  });
}
