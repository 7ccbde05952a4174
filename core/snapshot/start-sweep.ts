/**
 * What a start makes of what the last run left. Records and snapshots are brought to agree: a record without its
 * snapshot goes, with all that rests on it; a snapshot without a record goes; a lazy record stays if its blobs are
 * here, for where they came from was known to the last process only. What is composed of others needs nothing else.
 */
import type { ContentStore } from '../contracts/content.js';
import type { Logger } from '../contracts/logger.js';
import type { SnapshotInfo, Snapshotter } from '../contracts/snapshotter.js';
import { type Entry, isComposed, snapshotKey } from './record.js';
import type { RecordBook } from './record-book.js';

export async function sweepAtStart(
  book: RecordBook,
  snapshotter: Snapshotter,
  content: ContentStore,
  logger: Logger,
): Promise<void> {
  const snapshots = await snapshotter.list();
  const present = new Map(snapshots.map((snapshot) => [snapshot.key, snapshot]));
  await finishUnpacked(book, present, content);
  const lost = await lostEntries(book, present, content);
  if (lost.length > 0) {
    logger.info('refs without their snapshot or blob are dropped', { count: lost.length });
    await book.drop(lost);
  }
  await book.sweep();
  const named = new Set(
    [...book.entries()].filter(({ record }) => !record.lazy).map(({ record }) => snapshotKey(record)),
  );
  const unnamed = childrenFirst(snapshots.filter(({ key }) => !named.has(key)));
  if (unnamed.length > 0) logger.info('unfinished snapshots are removed', { count: unnamed.length });
  for (const { key } of unnamed) await snapshotter.remove(key);
}

/** Unpacked and committed, but the record did not get to say so. Without its blob it would no longer be the same layer. */
async function finishUnpacked(
  book: RecordBook,
  present: ReadonlyMap<string, SnapshotInfo>,
  content: ContentStore,
): Promise<void> {
  for (const entry of book.entries()) {
    const { id, record } = entry;
    if (!record.lazy || present.get(id)?.kind !== 'committed') continue;
    if (await derivable(entry, content)) await book.update(entry, { lazy: false });
  }
}

/** Children first. */
async function lostEntries(
  book: RecordBook,
  present: ReadonlyMap<string, SnapshotInfo>,
  content: ContentStore,
): Promise<readonly Entry[]> {
  const lost = new Set<Entry>();
  for (const entry of book.entries()) {
    const { record } = entry;
    const there = record.lazy
      ? await derivable(entry, content)
      : present.get(snapshotKey(record))?.kind === (record.kind === 'mutable' ? 'active' : 'committed');
    if (!there) lost.add(entry);
  }
  if (lost.size === 0) return [];
  const doomed = new Set<Entry>();
  // The book has what an entry rests on before it.
  for (const entry of book.entries()) {
    if (lost.has(entry) || book.below(entry).some((each) => doomed.has(each))) doomed.add(entry);
  }
  return [...doomed].reverse();
}

/** Whether the tree of a lazy record can still be made. */
const derivable = async ({ record }: Entry, content: ContentStore): Promise<boolean> =>
  isComposed(record) || (await content.info(record.source!.descriptor.digest)) !== undefined;

function childrenFirst(snapshots: readonly SnapshotInfo[]): readonly SnapshotInfo[] {
  const byKey = new Map(snapshots.map((snapshot) => [snapshot.key, snapshot]));
  const ordered = new Set<SnapshotInfo>();
  const parentsFirst = (snapshot: SnapshotInfo): void => {
    const path: SnapshotInfo[] = [];
    for (
      let at: SnapshotInfo | undefined = snapshot;
      at && !ordered.has(at);
      at = at.parent === undefined ? undefined : byKey.get(at.parent)
    ) {
      path.push(at);
    }
    for (const each of path.reverse()) ordered.add(each);
  };
  for (const snapshot of snapshots) parentsFirst(snapshot);
  return [...ordered].reverse();
}
