import type { Threads } from '../contracts/threads.js';
import type { Digest } from '../util/digest.js';
import type { BlobDigestArgs } from './blob-digest.task.js';
import { hashFile } from './hash-file.js';

const digestTask = new URL('./blob-digest.task.js', import.meta.url);
const never = new AbortController().signal;

/** The digest of a file, computed by a thread if there are any. */
export function fileHasher(threads: Threads | undefined): (file: string) => Promise<Digest> {
  if (!threads) return async (file) => hashFile(file, () => {});
  return (file) => {
    const args: BlobDigestArgs = { file };
    return threads.run<Digest>(digestTask, args, { signal: never });
  };
}
