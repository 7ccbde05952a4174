import pLimit from 'p-limit';
import type { ContentStore } from '../contracts/content.js';
import type { Compression, Differ, LayerBlob } from '../contracts/differ.js';
import { notFound } from '../contracts/errors.js';
import type { Progress } from '../contracts/progress.js';
import type { ImmutableRef, LayerOptions, RefLayer, RefLayers } from '../contracts/refs.js';
import type { Snapshotter } from '../contracts/snapshotter.js';
import { traceBelow } from '../contracts/step-span.js';
import type { Tracing } from '../contracts/tracing.js';
import { chainId } from '../util/chain-id.js';
import { tocDigestAnnotation } from '../util/layer-annotations.js';
import { layerMediaType } from '../util/media-types.js';
import { SharedRuns } from '../util/shared-runs.js';
import { together } from '../util/together.js';
import type { ComposedTrees } from './composed-trees.js';
import { ChainProvider } from './layer-download.js';
import { sidesNeeded, sidesOf } from './layer-sides.js';
import { mountsOf, stackOf } from './mount-stack.js';
import { type Entry, snapshotKey } from './record.js';
import type { RecordBook } from './record-book.js';

/** Layers of one chain computed at once. More would only wait for threads. */
const AT_ONCE = 8;

/**
 * The layers of a tree as blobs. What was computed once is kept with the record, under its compression and epoch. A
 * layer that came from an image keeps its blob and its times, unless another compression is forced.
 */
export class LayerBlobs {
  readonly #book: RecordBook;
  readonly #trees: ComposedTrees;
  readonly #snapshotter: Snapshotter;
  readonly #differ: Differ;
  readonly #content: ContentStore;
  readonly #tracing: Tracing;
  readonly #computing = new SharedRuns<LayerBlob>();

  constructor(
    book: RecordBook,
    trees: ComposedTrees,
    snapshotter: Snapshotter,
    differ: Differ,
    content: ContentStore,
    tracing: Tracing,
  ) {
    this.#book = book;
    this.#trees = trees;
    this.#snapshotter = snapshotter;
    this.#differ = differ;
    this.#content = content;
    this.#tracing = tracing;
  }

  async layers(
    top: Entry,
    options: LayerOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<RefLayers> {
    const chain = this.#book.layersOf(top);
    const limit = pLimit(AT_ONCE);
    const find = (entry: Entry, either: AbortSignal): Promise<LayerBlob> =>
      limit(() => this.#find(entry, options, progress, either));
    const blobs = await together(chain, find, signal);
    await this.#learnChainIds(top, blobs, options);
    const layers = blobs.map((blob, at) => describe(chain[at]!, blob, options.mediaTypes));
    const names = (at: number, either: AbortSignal): Promise<readonly string[]> =>
      this.#names(chain[at]!, blobs[at]!, progress, either);
    return {
      layers,
      provider: new ChainProvider(this.#content, chain),
      ...(this.#differ.names ? { names } : {}),
    };
  }

  /** One layer with all that a writable tree has beyond `on`. Not kept with the record: the next writer changes it. */
  async pack(
    entry: Entry,
    on: ImmutableRef | undefined,
    options: LayerOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<RefLayers> {
    const lower = on ? await on.mounts(progress, signal) : [];
    const upper = mountsOf(stackOf(await this.#snapshotter.mounts(snapshotKey(entry.record))).layers);
    const tags = { ref: entry.id, compression: options.compression.type };
    const blob = await traceBelow(this.#tracing, 'pack tree', tags, progress, () =>
      this.#differ.compare(lower, upper, { ...options, signal }),
    );
    return { layers: [describe(entry, blob, options.mediaTypes)], provider: this.#content };
  }

  async #names(
    entry: Entry,
    { descriptor }: LayerBlob,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    // A layer that nobody has unpacked yet has its blob elsewhere.
    if (!(await this.#content.info(descriptor.digest))) await this.#trees.ensure(entry, progress, signal);
    return this.#differ.names!(descriptor, signal);
  }

  async #find(
    entry: Entry,
    options: LayerOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<LayerBlob> {
    signal.throwIfAborted();
    // Without its blob the layer would be packed anew, which is no error.
    await entry.keeping?.catch(() => {});
    for (const blob of suitable(entry, options)) {
      const obtainable = blob === entry.record.source && entry.record.lazy && entry.offered;
      if (obtainable || (await this.#content.info(blob.descriptor.digest))) return blob;
    }
    if (options.onlyKnown) {
      throw notFound('ref.no-blob', `ref ${entry.id} has no blob of compression ${options.compression.type}`);
    }
    const key = `${entry.id} ${variantKey(options)}`;
    return this.#computing.run(key, signal, (own) => this.#compute(entry, options, progress, own));
  }

  async #compute(
    entry: Entry,
    options: LayerOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<LayerBlob> {
    await together(
      sidesNeeded(this.#book, entry),
      (tree, stop) => this.#trees.ensure(tree, progress, stop),
      signal,
    );
    const tags = { ref: entry.id, compression: options.compression.type };
    const blob = await traceBelow(
      this.#tracing,
      'compute layer',
      tags,
      progress,
      async () => (await this.#repack(entry, options, signal)) ?? this.#pack(entry, options, signal),
    );
    const variants = { ...entry.record.variants, [variantKey(options)]: blob };
    const { size: _, ...usage } = entry.usage;
    this.#book.setUsage(entry, usage);
    await this.#book.update(entry, { variants });
    return blob;
  }

  async #pack(entry: Entry, options: LayerOptions, signal: AbortSignal): Promise<LayerBlob> {
    const { lower, upper } = await sidesOf(this.#book, this.#snapshotter, entry);
    return this.#differ.compare(lower, upper, { ...options, signal });
  }

  /** Another compression of a known blob keeps the tar inside, so that a layer of an image stays that layer. */
  async #repack(entry: Entry, options: LayerOptions, signal: AbortSignal): Promise<LayerBlob | undefined> {
    const { sourceDateEpoch, ...rest } = options;
    if (sourceDateEpoch !== undefined || !this.#differ.recompress) return undefined;
    if (options.compression.type === 'estargz') return undefined;
    const unforced = { ...options, compression: { ...options.compression, force: false } };
    for (const blob of suitable(entry, unforced)) {
      // Its tar has a table of contents, which only this compression knows what to do with.
      if (compressionOf(blob) === 'estargz' && blob !== entry.record.source) continue;
      const { descriptor } = blob;
      const present = await this.#content.info(descriptor.digest);
      if (present) return this.#differ.recompress(descriptor, { ...rest, signal });
    }
    return undefined;
  }

  /** An image that is pulled later may then share what was built here. */
  async #learnChainIds(
    top: Entry,
    blobs: readonly LayerBlob[],
    { sourceDateEpoch, compression }: LayerOptions,
  ): Promise<void> {
    if (sourceDateEpoch !== undefined || compression.force) return;
    const owners = this.#owners(top);
    let parent: Entry['record']['chainId'];
    const writes: Promise<void>[] = [];
    for (const [at, { diffId }] of blobs.entries()) {
      const entry = owners.get(at + 1);
      const id = entry?.record.chainId ?? chainId([...(parent ? [parent] : []), diffId])!;
      if (entry && entry.record.chainId === undefined) {
        writes.push(this.#book.update(entry, { chainId: id }));
      }
      parent = id;
    }
    await Promise.all(writes);
  }

  /** The records whose tree is the lowest n layers of `top`, by n. A layer that is applied elsewhere is another tree. */
  #owners(top: Entry): ReadonlyMap<number, Entry> {
    const owners = new Map<number, Entry>();
    let count = this.#book.layersOf(top).length;
    for (let at: Entry | undefined = top; at; at = this.#book.parentOf(at)) {
      owners.set(count, at);
      count -= at.record.applied?.length ?? 1;
    }
    return owners;
  }
}

/** Names a computed blob among those of its record. */
export function variantKey({ compression, sourceDateEpoch }: LayerOptions): string {
  const level = compression.level === undefined ? '' : `-${compression.level}`;
  const epoch = sourceDateEpoch === undefined ? '' : `@${sourceDateEpoch}`;
  return `${compression.type}${level}${epoch}`;
}

/** The known blobs that answer the request, best first. */
function suitable({ record }: Entry, options: LayerOptions): readonly LayerBlob[] {
  const exact = record.variants[variantKey(options)];
  const { source } = record;
  if (options.compression.force) {
    const same = source && compressionOf(source) === options.compression.type;
    return [...(same ? [source] : []), ...(exact ? [exact] : [])];
  }
  const epoch = options.sourceDateEpoch === undefined ? '' : `@${options.sourceDateEpoch}`;
  const others = Object.entries(record.variants)
    .filter(([key]) => key.slice(key.includes('@') ? key.indexOf('@') : key.length) === epoch)
    .map(([, blob]) => blob);
  return [...(source ? [source] : []), ...(exact ? [exact] : []), ...others];
}

function compressionOf({ descriptor }: LayerBlob): Compression {
  if (descriptor.annotations?.[tocDigestAnnotation] !== undefined) return 'estargz';
  if (/[.+]gzip$/.test(descriptor.mediaType)) return 'gzip';
  return /[.+]zstd$/.test(descriptor.mediaType) ? 'zstd' : 'uncompressed';
}

function describe(entry: Entry, blob: LayerBlob, family: 'oci' | 'docker'): RefLayer {
  const { source, createdAt, description } = entry.record;
  const mediaType = layerMediaType(blob.descriptor.mediaType, family, true);
  return {
    descriptor: { ...blob.descriptor, mediaType },
    diffId: blob.diffId,
    createdAt: source?.createdAt ?? createdAt,
    description: source?.description ?? description,
  };
}
