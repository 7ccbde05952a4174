/**
 * Removes the snapshots of records that are gone, in the order in which those went: none before what stands on it. What
 * comes while the disk is busy goes in one piece after that, so a chain of records does not wait for the disk at each.
 */
import { removeSnapshots, type Snapshotter } from '../contracts/snapshotter.js';

interface Removal {
  /** The record is gone from the disk: its snapshot may go. */
  readonly written: Promise<void>;
  readonly keys: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class SnapshotRemoval {
  readonly #snapshotter: Snapshotter;
  #queue: Removal[] = [];
  #running: Promise<void> | undefined;

  constructor(snapshotter: Snapshotter) {
    this.#snapshotter = snapshotter;
  }

  remove(written: Promise<void>, keys: readonly string[]): Promise<void> {
    // It may fail before its turn to be waited for has come.
    written.catch(() => {});
    return new Promise((resolve, reject) => {
      this.#queue.push({ written, keys, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#together(this.#queue.splice(0));
    this.#running = undefined;
  }

  async #together(removals: readonly Removal[]): Promise<void> {
    const outcomes = await Promise.allSettled(removals.map(({ written }) => written));
    const going: Removal[] = [];
    for (const [at, removal] of removals.entries()) {
      const outcome = outcomes[at]!;
      if (outcome.status === 'fulfilled') going.push(removal);
      else removal.reject(outcome.reason);
    }
    if (going.length === 0) return;
    try {
      await removeSnapshots(
        this.#snapshotter,
        going.flatMap(({ keys }) => keys),
      );
      for (const { resolve } of going) resolve();
    } catch (error) {
      for (const { reject } of going) reject(error);
    }
  }
}
