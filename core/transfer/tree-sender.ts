/**
 * The sending end of a tree transfer, without the stream. Each `step` adds a batch of packets: content that was
 * requested first, then more of the list. Synchronous: for worker threads. Wire facts E3.4–E3.6.
 */
import fs from 'node:fs';
import { invalid } from '../contracts/errors.js';
import { errnoOf } from '../util/linux/system-error.js';
import { BATCH, type PacketBatch } from './packet-batch.js';
import type { SourceEntry, TreeSource } from './tree-source.js';

/** Data of one packet: a receiver may be limited to messages of 4 MiB. */
const CHUNK = 256 << 10;

export class TreeSender implements Disposable {
  readonly #batch: PacketBatch;
  readonly #list: Iterator<SourceEntry>;
  /** Content by id, until it is requested. */
  readonly #content = new Map<number, string | Uint8Array>();
  readonly #requested: number[] = [];
  readonly #buffer = Buffer.allocUnsafeSlow(CHUNK);
  #open: { readonly id: number; readonly fd: number } | undefined;
  #nextId = 0;
  #listed = false;

  constructor(source: TreeSource, batch: PacketBatch) {
    this.#list = source.entries()[Symbol.iterator]();
    this.#batch = batch;
  }

  request(id: number): void {
    if (!this.#content.has(id)) throw invalid('transfer.request', `invalid file id ${id}`);
    this.#requested.push(id);
  }

  /** Nothing to do until something is requested. */
  get idle(): boolean {
    return this.#listed && this.#requested.length === 0 && this.#open === undefined;
  }

  /** Fills the batch, as far as there is something to send. */
  step(): void {
    while (this.#batch.size < BATCH && !this.idle) {
      if (this.#open) this.#more();
      else if (this.#requested.length > 0) this.#start(this.#requested.shift()!);
      else {
        this.#entry();
        // The first entries leave early, so that requests come while the rest is listed.
        if (this.#batch.size > BATCH / 8) return;
      }
    }
  }

  [Symbol.dispose](): void {
    if (this.#open) fs.closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #entry(): void {
    const next = this.#list.next();
    if (next.done) {
      this.#listed = true;
      this.#batch.add({ type: 'stat' });
      return;
    }
    const { stat, content } = next.value;
    const id = this.#nextId++;
    if (content !== undefined) this.#content.set(id, content);
    this.#batch.add({ type: 'stat', stat });
  }

  #start(id: number): void {
    const content = this.#content.get(id)!;
    this.#content.delete(id);
    if (typeof content !== 'string') {
      for (let at = 0; at < content.length; at += CHUNK) {
        this.#batch.add({ type: 'data', id, data: content.subarray(at, at + CHUNK) });
      }
      this.#end(id);
      return;
    }
    const fd = openForReading(content);
    if (fd === undefined) this.#end(id);
    else this.#open = { id, fd };
  }

  #more(): void {
    const { id, fd } = this.#open!;
    const read = fs.readSync(fd, this.#buffer, 0, CHUNK, null);
    if (read > 0) this.#batch.add({ type: 'data', id, data: this.#buffer.subarray(0, read) });
    if (read === CHUNK) return;
    fs.closeSync(fd);
    this.#open = undefined;
    this.#end(id);
  }

  #end(id: number): void {
    this.#batch.add({ type: 'data', id, data: noData });
  }
}

const noData = new Uint8Array();

/** A file that cannot be opened any more arrives empty, as BuildKit sends it. */
function openForReading(path: string): number | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  try {
    return fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
