import type { ContentStore } from '../contracts/content.js';
import type { Differ } from '../contracts/differ.js';
import type { Kv } from '../contracts/kv.js';
import { type Logger, silentLogger } from '../contracts/logger.js';
import type { Mount } from '../contracts/mount.js';
import type { Progress } from '../contracts/progress.js';
import type {
  GcRule,
  ImmutableRef,
  LazyLayer,
  MutableRef,
  PruneOptions,
  PruneVerdict,
  RefMetadata,
  RefOptions,
  RefStore,
  UsageRecord,
} from '../contracts/refs.js';
import type { Snapshotter } from '../contracts/snapshotter.js';
import type { Tracing } from '../contracts/tracing.js';
import { chainId } from '../util/chain-id.js';
import type { Digest } from '../util/digest.js';
import { newId } from '../util/identity.js';
import { ComposedTrees } from './composed-trees.js';
import { DiskUsage } from './disk-usage.js';
import { refNotFound, refOfOtherWorker } from './errors.js';
import { HandleTracker, type OpenHandle } from './handle-tracker.js';
import { ImmutableHandle, MutableHandle, type RefDesk } from './handles.js';
import { LayerBlobs } from './layer-blobs.js';
import { LazyLayers } from './lazy-layers.js';
import { activeKey, Entry, type RefRecord, snapshotKey } from './record.js';
import { RecordBook } from './record-book.js';
import { RefPruner } from './ref-pruner.js';
import { sweepAtStart } from './start-sweep.js';

export interface RefStoreOptions {
  readonly workerId: string;
  readonly snapshotter: Snapshotter;
  readonly differ: Differ;
  readonly content: ContentStore;
  readonly kv: Kv;
  readonly tracing: Tracing;
  readonly logger?: Logger;
  /** Remember where each handle was opened, for {@link LocalRefStore.openHandles}. */
  readonly trackHandles?: boolean;
  /** Free bytes of the disk; by default asked of the file system that holds the content. */
  readonly freeSpace?: () => Promise<number>;
}

const never = new AbortController().signal;
/** As many ways to a layer are remembered; older ones belong to clients that are gone. */
const PROVIDERS = 4;

/**
 * The refs of one worker: records in the key-value store, trees in its snapshotter, layers in the content store.
 *
 * 1. A snapshot is committed and its record is on its way to the disk before anybody gets the ref. Steps do not wait
 *    for the disk: it sees their writes in order, so a record never stands without what it names. What is being
 *    written has no record at all, unless it is retained.
 * 2. Removal runs downwards, see {@link RefPruner}. What lies between after a crash is swept at the next start.
 * 3. An entry stays while it has handles, children or holders.
 */
export class LocalRefStore implements RefStore, AsyncDisposable {
  readonly #workerId: string;
  readonly #snapshotter: Snapshotter;
  readonly #content: ContentStore;
  readonly #book: RecordBook;
  readonly #trees: ComposedTrees;
  readonly #blobs: LayerBlobs;
  readonly #usage: DiskUsage;
  readonly #pruner: RefPruner;
  readonly #desk: RefDesk;

  private constructor(options: RefStoreOptions) {
    const { workerId, snapshotter, differ, content, kv, tracing, logger = silentLogger } = options;
    this.#workerId = workerId;
    this.#snapshotter = snapshotter;
    this.#content = content;
    this.#book = new RecordBook(workerId, kv, logger);
    const lazy = new LazyLayers(this.#book, snapshotter, differ, content, tracing);
    this.#trees = new ComposedTrees(this.#book, lazy, snapshotter, differ, tracing);
    this.#blobs = new LayerBlobs(this.#book, this.#trees, snapshotter, differ, content, tracing);
    this.#usage = new DiskUsage(this.#book, snapshotter, content);
    this.#pruner = new RefPruner(this.#book, this.#usage, snapshotter, content, options.freeSpace);
    this.#desk = this.#makeDesk(new HandleTracker(options.trackHandles ?? false));
  }

  /** Sweeps what the last run left. */
  static async open(options: RefStoreOptions): Promise<LocalRefStore> {
    const store = new LocalRefStore(options);
    await sweepAtStart(store.#book, options.snapshotter, options.content, options.logger ?? silentLogger);
    return store;
  }

  async create(
    parent: ImmutableRef | undefined,
    options: RefOptions,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<MutableRef> {
    const below = parent && this.#own(parent);
    if (below) await this.#trees.ensure(below, progress, signal);
    const entry = new Entry({
      ...newRecord(options),
      kind: 'mutable',
      ...(below ? { parent: below.id } : {}),
    });
    entry.handles = 1;
    this.#book.add(entry);
    try {
      await this.#snapshotter.prepare(activeKey(entry.id), below?.id);
    } catch (error) {
      await this.#book.drop([entry]);
      throw error;
    }
    return new MutableHandle(entry, this.#desk);
  }

  async fromLayers(layers: readonly LazyLayer[], options: RefOptions): Promise<ImmutableRef | undefined> {
    if (layers.length === 0) return undefined;
    const changed: Entry[] = [];
    let top: Entry | undefined;
    for (const layer of layers) {
      const known = this.#knownLayer(top, layer);
      top = known ?? this.#addLayer(top, layer, options);
      if (!known) changed.push(top);
    }
    this.#book.acquire(top!);
    const ref = new ImmutableHandle(top!, this.#desk);
    try {
      await this.#book.write((batch) => {
        for (const entry of changed) this.#book.save(batch, entry);
      });
      await this.#name(top!, options);
      return ref;
    } catch (error) {
      await ref[Symbol.asyncDispose]();
      throw error;
    }
  }

  async merge(
    inputs: readonly (ImmutableRef | undefined)[],
    options: RefOptions,
  ): Promise<ImmutableRef | undefined> {
    const [first, ...rest] = inputs.flatMap((ref) => (ref ? [this.#own(ref)] : []));
    if (!first || rest.length === 0) return first && this.#open(first);
    const applied = rest.flatMap((entry) => this.#book.layersOf(entry)).map(({ id }) => id);
    return this.#compose({ parent: first.id, applied }, options);
  }

  async diff(
    lower: ImmutableRef | undefined,
    upper: ImmutableRef | undefined,
    options: RefOptions,
  ): Promise<ImmutableRef | undefined> {
    if (lower?.id === upper?.id) return undefined;
    if (!lower) return upper && this.#open(this.#own(upper));
    const [from, to] = [this.#own(lower), upper && this.#own(upper)];
    const between = to && layersBetween(this.#book, from, to);
    if (between) return this.#compose({ applied: between.map(({ id }) => id) }, options);
    return this.#compose({ diff: { lower: from.id, ...(to ? { upper: to.id } : {}) } }, options);
  }

  offerLayers(layers: readonly LazyLayer[]): void {
    let top: Entry | undefined;
    for (const layer of layers) {
      top = this.#knownLayer(top, layer);
      if (!top) return;
    }
  }

  async get(id: string): Promise<ImmutableRef> {
    const entry = this.#book.require(id);
    if (entry.record.kind === 'mutable') throw refNotFound(id);
    return this.#open(entry);
  }

  /** Whether `get` would find it. */
  has(id: string): boolean {
    return this.#book.get(id)?.record.kind === 'immutable';
  }

  async isObtainable(id: string): Promise<boolean> {
    for (const { record, offered } of this.#book.layersOf(this.#book.require(id))) {
      if (!record.lazy || offered || !record.source) continue;
      if (!(await this.#content.info(record.source.descriptor.digest))) return false;
    }
    return true;
  }

  async find(index: string): Promise<readonly ImmutableRef[]> {
    const found = this.#book.byIndex(index).filter(({ record }) => record.kind === 'immutable');
    return found.map((entry) => this.#open(entry));
  }

  async findMutable(index: string): Promise<MutableRef | undefined> {
    const entry = this.#book
      .byIndex(index)
      .find(({ record, handles, saved }) => record.kind === 'mutable' && handles === 0 && saved);
    if (!entry) return undefined;
    this.#book.acquire(entry);
    return new MutableHandle(entry, this.#desk);
  }

  mutableIndexes(prefix: string): readonly string[] {
    const lastUse = new Map<string, number>();
    for (const index of this.#book.indexes()) {
      if (!index.startsWith(prefix)) continue;
      const retained = this.#book
        .byIndex(index)
        .filter(({ record, saved }) => record.kind === 'mutable' && saved);
      const uses = retained.map(({ record, usage }) => usage.lastUsedAt ?? record.createdAt);
      if (uses.length > 0) lastUse.set(index, Math.max(...uses));
    }
    return [...lastUse].sort(([, a], [, b]) => b - a).map(([index]) => index);
  }

  async usage(filter: readonly string[]): Promise<readonly UsageRecord[]> {
    return this.#usage.records(filter, never);
  }

  prune(options: PruneOptions, signal: AbortSignal): AsyncIterable<UsageRecord> {
    return this.#pruner.collect([options], options.keepBlobsSince, signal);
  }

  collect(rules: readonly GcRule[], keepBlobsSince: number, signal: AbortSignal): AsyncIterable<UsageRecord> {
    return this.#pruner.collect(rules, keepBlobsSince, signal);
  }

  planPrune(rule: GcRule, signal: AbortSignal): Promise<readonly PruneVerdict[]> {
    return this.#pruner.plan(rule, signal);
  }

  async removeUnused(ids: readonly string[]): Promise<void> {
    await this.#pruner.removeUnused(ids);
  }

  async hold(id: string, holder: string): Promise<void> {
    await this.#book.hold(this.#book.require(id), holder);
  }

  async release(id: string, holder: string): Promise<void> {
    await this.#book.release(id, holder);
  }

  /** Handles nobody has disposed yet. */
  openHandles(): readonly OpenHandle[] {
    return this.#desk.tracker.list();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#book.settle();
  }

  #own(ref: ImmutableRef): Entry {
    if (ref.workerId !== this.#workerId) throw refOfOtherWorker(ref.id, ref.workerId, this.#workerId);
    return this.#book.require(ref.id);
  }

  #compose(of: Pick<RefRecord, 'parent' | 'applied' | 'diff'>, options: RefOptions): ImmutableRef {
    const entry = new Entry({ ...newRecord(options), kind: 'immutable', lazy: true, ...of });
    this.#book.add(entry);
    const ref = this.#open(entry);
    this.#book.updateSoon(entry, {});
    return ref;
  }

  #open(entry: Entry): ImmutableRef {
    this.#book.acquire(entry);
    return new ImmutableHandle(entry, this.#desk);
  }

  /** The record that already stands for this layer on `parent`, told where else it can be read. */
  #knownLayer(parent: Entry | undefined, layer: LazyLayer): Entry | undefined {
    const entry = this.#book.byChain(chainOf(parent, layer));
    if (!entry || entry.record.parent !== parent?.id) return undefined;
    if (entry.record.lazy) {
      const others = entry.providers.filter((other) => other !== layer.provider);
      entry.providers = [...others, layer.provider].slice(-PROVIDERS);
      entry.teller = layer.progress ?? entry.teller;
    }
    return entry;
  }

  #addLayer(parent: Entry | undefined, layer: LazyLayer, options: RefOptions): Entry {
    const { descriptor, diffId, createdAt, description, provider, progress } = layer;
    const entry = new Entry({
      ...newRecord({ description: options.description, ...(options.type ? { type: options.type } : {}) }),
      kind: 'immutable',
      ...(parent ? { parent: parent.id } : {}),
      lazy: true,
      source: { descriptor, diffId, createdAt, description },
      chainId: chainOf(parent, layer),
    });
    entry.providers = [provider];
    entry.teller = progress;
    this.#book.add(entry);
    return entry;
  }

  /** What a later caller wants of a record that is shared. */
  async #name(entry: Entry, { index, blobs = [] }: RefOptions): Promise<void> {
    const { indexes, documents } = entry.record;
    const missing = blobs.filter((digest) => !documents.includes(digest));
    const unindexed = index !== undefined && !indexes.includes(index);
    if (missing.length === 0 && !unindexed) return;
    await this.#book.update(entry, {
      documents: [...documents, ...missing],
      indexes: unindexed ? [...indexes, index] : indexes,
    });
  }

  #makeDesk(tracker: HandleTracker): RefDesk {
    const book = this.#book;
    return {
      workerId: this.#workerId,
      tracker,
      metadata: (entry): RefMetadata => ({
        get: (key) => book.metadata(entry.id, key),
        set: (key, value) => book.setMetadata(entry.id, key, value),
      }),
      mounts: (entry, progress, signal) => this.#mounts(entry, progress, signal),
      layers: (entry, options, progress, signal) => this.#blobs.layers(entry, options, progress, signal),
      acquire: (entry) => book.acquire(entry),
      letGo: (entry) => book.letGo(entry),
      commit: (entry) => this.#commit(entry),
      pack: (entry, on, options, progress, signal) => this.#blobs.pack(entry, on, options, progress, signal),
      retain: (entry) => book.write((batch) => book.save(batch, entry)),
      discard: (entry) => this.#discard(entry),
    };
  }

  async #mounts(entry: Entry, progress: Progress, signal: AbortSignal): Promise<readonly Mount[]> {
    await this.#trees.ensure(entry, progress, signal);
    return this.#snapshotter.mounts(snapshotKey(entry.record));
  }

  async #commit(entry: Entry): Promise<void> {
    await this.#snapshotter.commit(entry.id, activeKey(entry.id));
    this.#book.updateSoon(entry, { kind: 'immutable' });
  }

  /** Nobody can find it any more, so nobody waits until it is gone from the disk; closing the store does. */
  async #discard(entry: Entry): Promise<void> {
    entry.handles -= 1;
    this.#book.unawaited(this.#pruner.remove([entry]), 'a discarded ref was not removed');
  }
}

/** The layers of `upper` on top of those of `lower`, if that is how it was built. BuildKit: cache/manager.go Diff. */
function layersBetween(book: RecordBook, lower: Entry, upper: Entry): readonly Entry[] | undefined {
  const [below, all] = [book.layersOf(lower), book.layersOf(upper)];
  if (all.length <= below.length || !below.every((layer, at) => layer === all[at])) return undefined;
  const between = all.slice(below.length);
  // One layer that was not written on `lower`, but applied to it, may say less there than it says itself.
  return between.length === 1 && upper.record.applied ? undefined : between;
}

const chainOf = (parent: Entry | undefined, { diffId }: LazyLayer): Digest =>
  chainId(parent ? [parent.record.chainId!, diffId] : [diffId])!;

function newRecord({ description, type, index, blobs }: RefOptions): Omit<RefRecord, 'kind'> {
  return {
    id: newId(),
    createdAt: Date.now(),
    description,
    type: type ?? 'regular',
    indexes: index === undefined ? [] : [index],
    documents: blobs ?? [],
    lazy: false,
    variants: {},
  };
}
