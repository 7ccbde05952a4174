/** Copies a tree with the receiver's rules: list first, then content of what it asks for. */
import fs from 'node:fs';
import type { SyncResult } from '../contracts/session.js';
import type { ThreadContext, ThreadTask } from '../contracts/threads.js';
import { type SendTreeArgs, sourceOf } from './source-of.js';
import { openIfDue, type ReceiveTreeArgs, TreeReceiver } from './tree-receiver.js';

export interface CopyTreeArgs {
  readonly source: SendTreeArgs;
  readonly dest: ReceiveTreeArgs;
}

const CHUNK = 1 << 20;
/** Progress is reported this often, in bytes. */
const REPORT = 4 << 20;

const copyTree: ThreadTask<CopyTreeArgs, SyncResult> = async ({ source, dest }, context) => {
  let requested = -1;
  using receiver = new TreeReceiver(dest, (id) => {
    requested = id;
  });
  await openIfDue(receiver, dest, context);
  const copier = new ContentCopier(receiver, context);
  let id = 0;
  for (const { stat, content } of sourceOf(source).entries()) {
    if (id % 64 === 0) context.throwIfAborted();
    receiver.entry(stat);
    if (receiver.waiting) await openIfDue(receiver, dest, context);
    if (requested === id) copier.copy(id, content!);
    if (receiver.waiting) await openIfDue(receiver, dest, context);
    id++;
  }
  receiver.listed();
  await openIfDue(receiver, dest, context);
  const result = receiver.finish();
  context.report(copier.total);
  return result;
};
export default copyTree;

class ContentCopier {
  readonly #receiver: TreeReceiver;
  readonly #context: ThreadContext;
  #reported = 0;
  total = 0;

  constructor(receiver: TreeReceiver, context: ThreadContext) {
    this.#receiver = receiver;
    this.#context = context;
  }

  copy(id: number, content: string | Uint8Array): void {
    if (typeof content === 'string') this.#file(id, content);
    else this.#data(id, content);
    this.#receiver.data(id, noData);
  }

  #file(id: number, path: string): void {
    const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    try {
      for (;;) {
        // Kept by the receiver for small files, so each read needs memory of its own.
        const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(4096, fs.fstatSync(fd).size + 1)));
        const read = fs.readSync(fd, buffer);
        if (read === 0) return;
        this.#data(id, buffer.subarray(0, read));
        this.#context.throwIfAborted();
      }
    } finally {
      fs.closeSync(fd);
    }
  }

  #data(id: number, data: Uint8Array): void {
    if (data.length === 0) return;
    this.#receiver.data(id, data);
    this.total += data.length;
    if (this.total - this.#reported < REPORT) return;
    this.#reported = this.total;
    this.#context.report(this.total);
  }
}

const noData = new Uint8Array();
