/**
 * Makes snapshots of records that are composed of others: merges and computed differences.
 *
 * 1. Nothing is made before somebody needs the tree, and then only that one: a merge of merges that nobody looked at
 *    applies all their layers at once.
 * 2. A merge stands on the snapshot of what it has at the bottom, which is neither read nor copied. On it comes one
 *    layer of hard links with what the others change.
 * BuildKit: snapshot/merge.go.
 */
import type { Differ, TreeChange } from '../contracts/differ.js';
import type { Progress } from '../contracts/progress.js';
import type { Snapshotter } from '../contracts/snapshotter.js';
import { traceBelow } from '../contracts/step-span.js';
import type { Tracing } from '../contracts/tracing.js';
import { newId } from '../util/identity.js';
import { SharedRuns } from '../util/shared-runs.js';
import { together } from '../util/together.js';
import { sidesNeeded, sidesOf } from './layer-sides.js';
import type { LazyLayers } from './lazy-layers.js';
import { type Entry, isComposed } from './record.js';
import type { RecordBook } from './record-book.js';

interface Recipe {
  readonly base: Entry | undefined;
  /** Bottom first. */
  readonly layers: readonly Entry[];
}

export class ComposedTrees {
  readonly #book: RecordBook;
  readonly #lazy: LazyLayers;
  readonly #snapshotter: Snapshotter;
  readonly #differ: Differ;
  readonly #tracing: Tracing;
  readonly #runs = new SharedRuns<void>();

  constructor(
    book: RecordBook,
    lazy: LazyLayers,
    snapshotter: Snapshotter,
    differ: Differ,
    tracing: Tracing,
  ) {
    this.#book = book;
    this.#lazy = lazy;
    this.#snapshotter = snapshotter;
    this.#differ = differ;
    this.#tracing = tracing;
  }

  /** Until the tree of `entry` is a snapshot, pulled or composed. The caller keeps a handle on it. */
  async ensure(entry: Entry, progress: Progress, signal: AbortSignal): Promise<void> {
    if (!entry.record.lazy) return;
    if (!isComposed(entry.record)) {
      await this.#lazy.unpack(entry, progress, signal);
      return;
    }
    const { base, layers } = this.#recipe(entry);
    const needed = new Set([
      ...(base ? [base] : []),
      ...layers.flatMap((layer) => sidesNeeded(this.#book, layer)),
    ]);
    await together([...needed], (each, stop) => this.ensure(each, progress, stop), signal);
    await this.#runs.run(entry.id, signal, (own) => this.#compose(entry, { base, layers }, progress, own));
  }

  #recipe(entry: Entry): Recipe {
    if (entry.record.diff) return { base: undefined, layers: [entry] };
    const layers: (readonly Entry[])[] = [];
    let base: Entry | undefined = entry;
    while (base?.record.lazy && base.record.applied) {
      layers.push(base.record.applied.map((id) => this.#book.require(id)));
      base = this.#book.parentOf(base);
    }
    return { base, layers: layers.reverse().flat() };
  }

  async #compose(
    entry: Entry,
    { base, layers }: Recipe,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    if (!entry.record.lazy) return;
    const linkBase = base && this.#snapshotter.copiesParents;
    const changes: TreeChange[] = linkBase
      ? [{ lower: [], upper: await this.#snapshotter.mounts(base.id) }]
      : [];
    for (const layer of layers) changes.push(await sidesOf(this.#book, this.#snapshotter, layer));
    // A name of its own: an aborted attempt may still be cleaning up.
    const key = `u-${entry.id}-${newId()}`;
    await this.#snapshotter.prepare(key, linkBase ? undefined : base?.id);
    try {
      const onto = await this.#snapshotter.mounts(key);
      const tags = { ref: entry.id, layers: layers.length };
      await traceBelow(this.#tracing, 'compose tree', tags, progress, () =>
        this.#differ.replay(changes, onto, signal),
      );
      await this.#snapshotter.commit(entry.id, key);
    } catch (error) {
      await this.#snapshotter.remove(key);
      throw error;
    }
    const { size: _, ...usage } = entry.usage;
    this.#book.setUsage(entry, usage);
    this.#book.updateSoon(entry, { lazy: false });
  }
}
