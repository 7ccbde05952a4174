/** One file of a tree, written by a thread while its bytes arrive. */
import type { Progress } from '../../../core/contracts/progress.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { parts } from '../../../core/util/chunks.js';
import type { Digest } from '../../../core/util/digest.js';
import type { FileAttributes } from './file-attributes.js';
import type { SaveFileArgs } from './save-file.task.js';

export interface FileToSave {
  readonly path: string;
  readonly attributes: FileAttributes;
  /** Milliseconds since the epoch. */
  readonly modTime: number;
  /** Name of the progress bar. */
  readonly label: string;
  /** Bytes, where they are known. */
  readonly size: number | undefined;
}

const saveTask = new URL('./save-file.task.js', import.meta.url);
/** Bytes that go to the thread at once: each piece crosses by itself. */
const BATCH = 256 * 1024;

/** Answers the digest of what was written. */
export async function saveFile(
  data: AsyncIterable<Uint8Array>,
  { path, attributes, modTime, label, size }: FileToSave,
  { threads, progress }: { readonly threads: Threads; readonly progress: Progress },
  signal: AbortSignal,
): Promise<Digest> {
  const { perm, uid, gid } = attributes;
  const args: SaveFileArgs = { path, uid, gid, mode: perm === 0 ? 0o600 : perm & 0o777, modTime };
  const total = size === undefined ? {} : { total: size };
  let current = 0;
  progress.status(label, { current, ...total });
  const batches = parts(data, BATCH);
  try {
    return await threads.run<Digest>(saveTask, args, {
      signal,
      onAsk: async () => {
        const { value } = await batches.next();
        current += value?.length ?? 0;
        progress.status(label, { current, ...total });
        return value ?? undefined;
      },
    });
  } finally {
    progress.status(label, { current, ...total, completed: true });
    await batches.return();
  }
}
