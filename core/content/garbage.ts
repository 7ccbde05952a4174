/**
 * Blob garbage collection. A blob stays when somebody holds it ({@link BlobHolds}), when it carries the label
 * `containerd.io/gc.root`, or when a blob that stays refers to it (`containerd.io/gc.ref.content…`).
 */
import type { BlobInfo, ContentStore } from '../contracts/content.js';
import type { Digest } from '../util/digest.js';
import type { BlobHolds } from './blob-holds.js';

export interface CollectOptions {
  /** Blobs written since then stay: whoever wrote them may not have named them yet. Unix milliseconds. */
  readonly keepSince: number;
  /** Whoever named these has let go, at that time: they have no grace unless somebody found them since. */
  readonly letGo?: ReadonlyMap<Digest, number>;
}

const ROOT = 'containerd.io/gc.root';
const REFERENCE = 'containerd.io/gc.ref.content';

/** Removes what nothing keeps; answers how many blobs and bytes that were. */
export async function collectBlobs(
  content: ContentStore,
  holds: BlobHolds,
  options: CollectOptions,
): Promise<{ readonly blobs: number; readonly bytes: number }> {
  const young = ({ digest, createdAt }: BlobInfo): boolean => {
    const letGo = options.letGo?.get(digest);
    return letGo === undefined ? createdAt >= options.keepSince : createdAt >= letGo;
  };
  const all = new Map<Digest, BlobInfo>();
  for await (const blob of content.list()) all.set(blob.digest, blob);
  const kept = mark(all, (blob) => young(blob) || ROOT in blob.labels || holds.heldWhole(blob.digest));
  let [blobs, bytes] = [0, 0];
  for (const blob of all.values()) {
    if (kept.has(blob.digest) || holds.held(blob.digest)) continue;
    // Asked when its turn has come: removing the others took time, and somebody may have written this one anew.
    const unwanted = (now: BlobInfo): boolean => now.createdAt === blob.createdAt && !holds.held(blob.digest);
    if (!(await content.remove(blob.digest, unwanted))) continue;
    blobs += 1;
    bytes += blob.size;
  }
  return { blobs, bytes };
}

/** Roots and all they refer to. */
function mark(all: ReadonlyMap<Digest, BlobInfo>, isRoot: (blob: BlobInfo) => boolean): ReadonlySet<Digest> {
  const kept = new Set<Digest>();
  const open = [...all.values()].filter(isRoot);
  for (let blob = open.pop(); blob; blob = open.pop()) {
    if (kept.has(blob.digest)) continue;
    kept.add(blob.digest);
    for (const [label, target] of Object.entries(blob.labels)) {
      const next = label.startsWith(REFERENCE) ? all.get(target as Digest) : undefined;
      if (next) open.push(next);
    }
  }
  return kept;
}
