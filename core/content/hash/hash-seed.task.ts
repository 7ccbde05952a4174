import type { ReceivedTree } from '../../contracts/refs.js';
import type { ThreadTask } from '../../contracts/threads.js';
import { seedDigests } from './seed-digests.js';

/** Answers encoded KnownDigests. */
const seedTask: ThreadTask<ReceivedTree, Uint8Array> = (tree) => seedDigests(tree).encode();
export default seedTask;
