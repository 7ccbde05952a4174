/**
 * Removes the snapshots of records that are gone, in the order in which those went: none before what stands on it. What
 * comes while the disk is busy goes in one piece after that, so a chain of records does not wait for the disk at each.
 *
 * On a disk that is full, records cannot be written off before there is room. So their snapshots go all the same, and they
 * are written off then; should the process end between the two, the next start drops records without a snapshot.
 */
import { removeSnapshots, type Snapshotter } from '../contracts/snapshotter.js';

interface Removal {
  /** The record is gone from the disk: its snapshot may go. */
  readonly written: Promise<void>;
  readonly keys: readonly string[];
  readonly writeAgain: () => Promise<void>;
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

  /** `writeAgain` is for a record that could not be written off. */
  remove(written: Promise<void>, keys: readonly string[], writeAgain: () => Promise<void>): Promise<void> {
    // It may fail before its turn to be waited for has come.
    written.catch(() => {});
    return new Promise((resolve, reject) => {
      this.#queue.push({ written, keys, writeAgain, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#together(this.#queue.splice(0));
    this.#running = undefined;
  }

  async #together(removals: readonly Removal[]): Promise<void> {
    const outcomes = await Promise.allSettled(removals.map(({ written }) => written));
    try {
      await removeSnapshots(
        this.#snapshotter,
        removals.flatMap(({ keys }) => keys),
      );
    } catch (error) {
      for (const { reject } of removals) reject(error);
      return;
    }
    await Promise.all(
      removals.map(({ writeAgain, resolve, reject }, at) =>
        outcomes[at]!.status === 'fulfilled' ? resolve() : writeAgain().then(resolve, reject),
      ),
    );
  }
}
