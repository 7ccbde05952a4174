import { createHash } from 'node:crypto';
import fs from 'node:fs';
import type { ThreadTask } from '../../../core/contracts/threads.js';
import { LayerTree } from '../../../core/util/tree/layer-tree.js';
import { walkTree } from '../../../core/util/tree/walk.js';
import type { FileSubjectsArgs } from './statement-files.js';
import type { Subject } from './statements.js';

const CHUNK = 1 << 20;

/** Every file of a tree with the digest of what is in it, in the order of the paths. */
const fileSubjectsTask: ThreadTask<FileSubjectsArgs, readonly Subject[]> = ({ layers }, context) => {
  const tree = new LayerTree(layers);
  const buffer = Buffer.allocUnsafe(CHUNK);
  const subjects: Subject[] = [];
  for (const { path, node } of walkTree(tree, tree.root)) {
    context.throwIfAborted();
    if (node.kind !== 'file') continue;
    const digest = digestOf(node.host, buffer, () => context.throwIfAborted());
    subjects.push({ name: path, digest });
  }
  return subjects;
};
export default fileSubjectsTask;

function digestOf(file: string, buffer: Buffer, checkpoint: () => void): string {
  const hash = createHash('sha256');
  const fd = fs.openSync(file, 'r');
  try {
    for (let size = fs.readSync(fd, buffer); size > 0; size = fs.readSync(fd, buffer)) {
      checkpoint();
      hash.update(buffer.subarray(0, size));
    }
  } finally {
    fs.closeSync(fd);
  }
  return `sha256:${hash.digest('hex')}`;
}
