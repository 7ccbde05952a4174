import type { ThreadTask } from '../contracts/threads.js';
import type { Digest } from '../util/digest.js';
import { hashFile } from './hash-file.js';

export interface BlobDigestArgs {
  readonly file: string;
}

const digestTask: ThreadTask<BlobDigestArgs, Digest> = ({ file }, context) =>
  hashFile(file, () => context.throwIfAborted());
export default digestTask;
