/**
 * Files being received. Small ones gather in memory, within a limit for all of them, and are written in one go; larger
 * ones are open while their data comes, and only so many of them at a time. Synchronous: for worker threads.
 */
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import type { FileStat } from '../contracts/refs.js';
import { tarsumHeader } from '../util/tarsum.js';
import { finishFile } from './metadata.js';

const SMALL = 256 << 10;
const MAX_OPEN = 64;
/** Bytes that all small ones may gather: a sender decides how many it begins and never ends. */
const MAX_GATHERED = 32 << 20;

/** The large files that are open now, least recently used first. */
class OpenFiles {
  readonly #sinks = new Set<FileSink>();
  gathered = 0;

  use(sink: FileSink): void {
    this.#sinks.delete(sink);
    this.#sinks.add(sink);
    const [oldest] = this.#sinks;
    if (this.#sinks.size > MAX_OPEN) oldest!.park();
  }
  forget(sink: FileSink): void {
    this.#sinks.delete(sink);
  }
  closeAll(): void {
    for (const sink of [...this.#sinks]) sink.park();
  }
}

export class FileSinks {
  readonly open = new OpenFiles();

  /** `digest` asks for the record digest E4.1 of each file. */
  create(path: string, stat: FileStat, digest: boolean): FileSink {
    return new FileSink(this.open, path, stat, digest);
  }
  /** After a failure: nothing stays open. */
  [Symbol.dispose](): void {
    this.open.closeAll();
  }
}

export class FileSink {
  readonly #open: OpenFiles;
  readonly #path: string;
  readonly #stat: FileStat;
  readonly #hash: Hash | undefined;
  #gathered: Uint8Array[] = [];
  #size = 0;
  #made = false;
  #fd: number | undefined;

  constructor(open: OpenFiles, path: string, stat: FileStat, digest: boolean) {
    this.#open = open;
    this.#path = path;
    this.#stat = stat;
    this.#hash = digest ? createHash('sha256').update(tarsumHeader(stat)) : undefined;
  }

  write(data: Uint8Array): void {
    this.#hash?.update(data);
    this.#gathered.push(data);
    this.#size += data.length;
    this.#open.gathered += data.length;
    if (this.#size > SMALL || this.#open.gathered > MAX_GATHERED) this.#flush();
  }

  /** Completes the file with its metadata; answers the digest in hex, if asked for. */
  close(): string | undefined {
    this.#flush();
    const fd = this.#fd!;
    this.#open.forget(this);
    this.#fd = undefined;
    try {
      finishFile(fd, this.#path, this.#stat);
    } finally {
      fs.closeSync(fd);
    }
    return this.#hash?.digest('hex');
  }

  /** Gives the descriptor up for now. */
  park(): void {
    this.#open.forget(this);
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  #flush(): void {
    this.#fd ??= this.#openFile();
    this.#open.use(this);
    for (const data of this.#gathered) {
      this.#open.gathered -= data.length;
      for (let at = 0; at < data.length; ) at += fs.writeSync(this.#fd, data, at, data.length - at);
    }
    this.#gathered = [];
  }

  #openFile(): number {
    const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW } = fs.constants;
    const how = this.#made ? O_APPEND : O_CREAT | O_EXCL;
    this.#made = true;
    return fs.openSync(this.#path, O_WRONLY | O_NOFOLLOW | how, 0o600);
  }
}
