import pLimit from 'p-limit';
import type { ContentStore } from '../contracts/content.js';
import type { Differ } from '../contracts/differ.js';
import { type Progress, statusWhile } from '../contracts/progress.js';
import type { Snapshotter } from '../contracts/snapshotter.js';
import type { Tracing } from '../contracts/tracing.js';
import { newId } from '../util/identity.js';
import { SharedRuns } from '../util/shared-runs.js';
import { diffIdMismatch } from './errors.js';
import { downloadLayer } from './layer-download.js';
import { ProgressFan } from './progress-fan.js';
import type { Entry } from './record.js';
import type { RecordBook } from './record-book.js';

/** Layers of one image fetched at once. */
const DOWNLOADS = 8;

/**
 * Turns lazy records into snapshots. All layers of a chain are downloaded at once; each is unpacked as soon as it
 * and the one below are there. Two callers that need the same layer share the work, which stops when both are gone.
 */
export class LazyLayers {
  readonly #book: RecordBook;
  readonly #snapshotter: Snapshotter;
  readonly #differ: Differ;
  readonly #content: ContentStore;
  readonly #tracing: Tracing;
  readonly #runs = new SharedRuns<void>();
  readonly #fans = new WeakMap<Entry, ProgressFan>();
  readonly #limit = pLimit(DOWNLOADS);

  constructor(
    book: RecordBook,
    snapshotter: Snapshotter,
    differ: Differ,
    content: ContentStore,
    tracing: Tracing,
  ) {
    this.#book = book;
    this.#snapshotter = snapshotter;
    this.#differ = differ;
    this.#content = content;
    this.#tracing = tracing;
  }

  /** Until the whole chain of `entry` is unpacked. The caller keeps a handle on it. */
  async unpack(entry: Entry, progress: Progress, signal: AbortSignal): Promise<void> {
    if (!entry.record.lazy) return;
    const chain = this.#book.chainOf(entry).filter(({ record }) => record.lazy);
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const downloads = chain.map((layer) => this.#download(layer, progress, either));
    // Awaited in turn; until then a failure is not unhandled.
    for (const download of downloads) download.catch(() => {});
    try {
      for (const [at, layer] of chain.entries()) {
        await downloads[at];
        await this.#share('unpack', layer, progress, either, (fan, own) => this.#apply(layer, fan, own));
      }
    } finally {
      stop.abort();
      await Promise.allSettled(downloads);
    }
  }

  #download(layer: Entry, progress: Progress, signal: AbortSignal): Promise<void> {
    return this.#share('pull', layer, progress, signal, (fan, own) =>
      this.#limit(() =>
        this.#tracing.trace('pull layer', { tags: { digest: layer.record.source!.descriptor.digest } }, () =>
          downloadLayer(layer, this.#content, fan, own),
        ),
      ),
    );
  }

  async #apply(layer: Entry, progress: Progress, signal: AbortSignal): Promise<void> {
    if (!layer.record.lazy) return;
    const { descriptor, diffId } = layer.record.source!;
    // A name of its own: an aborted attempt may still be cleaning up.
    const key = `u-${layer.id}-${newId()}`;
    await this.#snapshotter.prepare(key, layer.record.parent);
    try {
      const mounts = await this.#snapshotter.mounts(key);
      const row = `extracting ${descriptor.digest}`;
      const onProgress = (current: number): void => progress.status(row, { current, total: descriptor.size });
      const applied = await this.#tracing.trace('unpack layer', { tags: { digest: descriptor.digest } }, () =>
        statusWhile(progress, row, () => this.#differ.apply(descriptor, mounts, { signal, onProgress })),
      );
      if (applied.diffId !== diffId) throw diffIdMismatch(descriptor, diffId, applied.diffId);
      await this.#snapshotter.commit(layer.id, key);
    } catch (error) {
      await this.#snapshotter.remove(key);
      throw error;
    }
    layer.providers = [];
    this.#book.setUsage(layer, withoutSize(layer));
    await this.#book.update(layer, { lazy: false });
  }

  /** Everybody who waits for the layer sees its progress, whoever started it. */
  async #share(
    what: 'pull' | 'unpack',
    layer: Entry,
    progress: Progress,
    signal: AbortSignal,
    start: (progress: Progress, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const fan = this.#fans.get(layer) ?? new ProgressFan();
    this.#fans.set(layer, fan);
    using _watching = fan.watch(progress);
    await this.#runs.run(`${what} ${layer.id}`, signal, (own) => start(fan, own));
  }
}

function withoutSize({ usage: { size: _, ...usage } }: Entry): Entry['usage'] {
  return usage;
}
