import type { KeyLock } from '../../../../core/util/key-lock.js';
import type { SnapshotDirs } from './snapshot-dirs.js';
import { dirsOf, type SnapshotRecord, type SnapshotRecords } from './snapshot-records.js';

/** What a driver keeps of its snapshots. */
export interface SnapshotBooks {
  readonly records: SnapshotRecords;
  readonly dirs: SnapshotDirs;
  readonly keys: KeyLock<void>;
}

const never = new AbortController().signal;

/**
 * Removes snapshots, each before what it stands on, with one wait for the disk: first they leave the books, then their
 * directories go. One that cannot be removed does not keep the others; that it could not is thrown in the end. On a disk
 * that is full the books may have to wait until the directories have made room.
 */
export async function removeMany(
  books: SnapshotBooks,
  keys: readonly string[],
): Promise<readonly SnapshotRecord[]> {
  const turns: { leave(outcome: undefined): void }[] = [];
  const gone: SnapshotRecord[] = [];
  const names: string[] = [];
  const writes: Promise<void>[] = [];
  const errors: unknown[] = [];
  try {
    for (const key of new Set(keys)) {
      turns.push(await books.keys.enter(key, never));
      try {
        const removed = books.records.remove(key);
        if (!removed) continue;
        gone.push(removed.record);
        names.push(key);
        writes.push(removed.written);
      } catch (error) {
        errors.push(error);
      }
    }
    const outcomes = await Promise.allSettled(writes);
    await books.dirs.remove(gone.flatMap(dirsOf));
    const unwritten = names.filter((_, at) => outcomes[at]!.status === 'rejected');
    await Promise.all(unwritten.map((key) => books.records.writeOff(key)));
  } finally {
    for (const turn of turns) turn.leave(undefined);
  }
  if (errors.length > 0) throw errors[0];
  return gone;
}
