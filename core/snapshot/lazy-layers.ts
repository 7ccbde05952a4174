import pLimit from 'p-limit';
import type { ContentStore } from '../contracts/content.js';
import type { ApplyOptions, Differ } from '../contracts/differ.js';
import type { Mount } from '../contracts/mount.js';
import { type Progress, silentProgress, statusWhile } from '../contracts/progress.js';
import type { Snapshotter } from '../contracts/snapshotter.js';
import { traceBelow, withSpan } from '../contracts/step-span.js';
import type { Tracing } from '../contracts/tracing.js';
import type { Digest } from '../util/digest.js';
import { newId } from '../util/identity.js';
import { SharedRuns } from '../util/shared-runs.js';
import { together } from '../util/together.js';
import { Arrival } from './arrival.js';
import { diffIdMismatch } from './errors.js';
import { downloadLayer } from './layer-download.js';
import { ProgressFan } from './progress-fan.js';
import type { Entry } from './record.js';
import type { RecordBook } from './record-book.js';

/** Layers of one image fetched at once. */
const DOWNLOADS = 8;

/**
 * Turns lazy records into snapshots. All layers of a chain are downloaded at once; each is unpacked as soon as the one
 * below is there, while its own bytes still arrive. Two callers that need the same layer share the work, which stops
 * when both are gone.
 *
 * 1. A layer is there when its bytes have the right digest and unpack to the right diffId.
 * 2. Nobody waits until the disk has its blob. The record says that the layer is there only then: after a crash it is
 *    pulled anew.
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
    const chain: Entry[] = [];
    for (let at: Entry | undefined = entry; at?.record.lazy; at = this.#book.parentOf(at)) chain.unshift(at);
    await together(chain, (layer, stop) => this.#bring(layer, progress, stop), signal);
  }

  /** The step that named the layer tells of it, as in BuildKit; or everybody who waits, whoever started it. */
  async #bring(layer: Entry, progress: Progress, signal: AbortSignal): Promise<void> {
    const fan = this.#fans.get(layer) ?? new ProgressFan();
    this.#fans.set(layer, fan);
    const teller = layer.teller ?? progress;
    using _watching = fan.watch(teller);
    using _running = teller.resume?.();
    await this.#runs.run(layer.id, signal, async (own) => {
      if (!layer.record.lazy) return;
      const arrival = new Arrival();
      // All of them are told, but it is a part of what the first of them does.
      const told = withSpan(fan, progress.span);
      const halves = [
        (stop: AbortSignal) => this.#receive(layer, arrival, told, stop),
        (stop: AbortSignal) => this.#unpack(layer, arrival, told, stop),
      ];
      await together(halves, (half, stop) => half(stop), own);
    });
  }

  /** Until the bytes are here and right. */
  async #receive(layer: Entry, arrival: Arrival, progress: Progress, signal: AbortSignal): Promise<void> {
    const tags = { digest: layer.record.source!.descriptor.digest };
    const download = { content: this.#content, progress, arrival, signal };
    const work = this.#limit(() =>
      traceBelow(this.#tracing, 'pull layer', tags, progress, () => downloadLayer(layer, download)),
    );
    arrival.end(work);
    await arrival.verified;
  }

  async #unpack(layer: Entry, arrival: Arrival, progress: Progress, signal: AbortSignal): Promise<void> {
    const parent = this.#book.parentOf(layer);
    if (parent?.record.lazy) await this.#bring(parent, withSpan(silentProgress, progress.span), signal);
    if (!(await this.#unpackArriving(layer, arrival, progress, signal))) {
      await arrival.kept;
      const { descriptor } = layer.record.source!;
      await this.#apply(layer, progress, signal, (onto, options) =>
        this.#differ.apply(descriptor, onto, options),
      );
    }
    this.#book.setUsage(layer, withoutSize(layer));
    this.#book.updateWhen(arrival.kept, layer, { lazy: false });
  }

  /** False when the layer has to be unpacked from its blob: it was there before, or something went wrong. */
  async #unpackArriving(
    layer: Entry,
    arrival: Arrival,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<boolean> {
    const differ = this.#differ;
    const ingest = differ.follow && (await arrival.begun);
    if (!ingest) return false;
    const { descriptor } = layer.record.source!;
    try {
      await this.#apply(layer, progress, signal, async (onto, options) => {
        await using file = await ingest.follow();
        const applied = await differ.follow!(descriptor, file, onto, options);
        await arrival.verified;
        return applied;
      });
      return true;
    } catch (error) {
      // Wrong bytes may have come first, and the right ones then. If that was not it, it shows again.
      if (signal.aborted) throw error;
      return false;
    }
  }

  async #apply(layer: Entry, progress: Progress, signal: AbortSignal, read: ReadLayer): Promise<void> {
    const { descriptor, diffId } = layer.record.source!;
    // A name of its own: an aborted attempt may still be cleaning up.
    const key = `u-${layer.id}-${newId()}`;
    await this.#snapshotter.prepare(key, layer.record.parent);
    try {
      const mounts = await this.#snapshotter.mounts(key);
      const row = `extracting ${descriptor.digest}`;
      const onProgress = (current: number): void => progress.status(row, { current, total: descriptor.size });
      const tags = { digest: descriptor.digest };
      const applied = await traceBelow(this.#tracing, 'unpack layer', tags, progress, () =>
        statusWhile(progress, row, () => read(mounts, { signal, onProgress })),
      );
      if (applied.diffId !== diffId) throw diffIdMismatch(descriptor, diffId, applied.diffId);
      await this.#snapshotter.commit(layer.id, key);
    } catch (error) {
      await this.#snapshotter.remove(key);
      throw error;
    }
  }
}

type ReadLayer = (onto: readonly Mount[], options: ApplyOptions) => Promise<{ readonly diffId: Digest }>;

function withoutSize({ usage: { size: _, ...usage } }: Entry): Entry['usage'] {
  return usage;
}
