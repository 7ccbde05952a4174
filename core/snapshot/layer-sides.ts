/** What the layer of a record lies between. */
import type { TreeChange } from '../contracts/differ.js';
import type { Mount } from '../contracts/mount.js';
import type { Snapshotter } from '../contracts/snapshotter.js';
import { mountsOf, stackOf } from './mount-stack.js';
import type { Entry } from './record.js';
import type { RecordBook } from './record-book.js';

/** The trees that must be there before {@link sidesOf} can tell. */
export function sidesNeeded(book: RecordBook, layer: Entry): readonly Entry[] {
  return layer.record.diff ? book.below(layer) : [layer];
}

export async function sidesOf(book: RecordBook, snapshotter: Snapshotter, layer: Entry): Promise<TreeChange> {
  const { diff } = layer.record;
  if (diff) {
    const mounts = async (id: string | undefined): Promise<readonly Mount[]> =>
      id === undefined ? [] : snapshotter.mounts(id);
    return { lower: await mounts(diff.lower), upper: await mounts(diff.upper) };
  }
  const upper = await snapshotter.mounts(layer.id);
  const parent = book.parentOf(layer);
  if (!parent) return { lower: [], upper };
  if (upper[0]?.type !== 'overlay') return { lower: await snapshotter.mounts(parent.id), upper };
  // A layered snapshot stands on exactly the directories below its own: comparing with those, and not with what the
  // parent answers by now (it may have been flattened since), lets the differ see that only one layer differs.
  return { lower: mountsOf(stackOf(upper).layers.slice(1)), upper };
}
