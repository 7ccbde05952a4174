/**
 * A blob on its way in: bytes are appended to a file, and hashed when they are all there. What an interrupted writer
 * left is continued by the next one of the key.
 */
import fs from 'node:fs/promises';
import type { GrowingFile, Ingest } from '../contracts/content.js';
import type { Digest } from '../util/digest.js';
import { Appender } from './appender.js';
import { digestMismatch, ingestClosed, sizeMismatch } from './errors.js';

/** What the store does for an ingest. */
export interface IngestHome {
  digest(file: string): Promise<Digest>;
  /** Moves the finished, synced file into place. */
  adopt(file: string, digest: Digest, size: number): Promise<void>;
  /** Lets the next writer of the key in; `committed` tells it what became of this one. */
  leave(committed: Digest | undefined): void;
}

export class FileIngest implements Ingest {
  readonly done = false;
  readonly offset: number;
  readonly #key: string;
  readonly #path: string;
  readonly #file: fs.FileHandle;
  readonly #appender: Appender;
  readonly #expectedSize: number | undefined;
  readonly #home: IngestHome;
  #size: number;
  #state: 'open' | 'complete' | 'closed' = 'open';

  private constructor(
    key: string,
    path: string,
    file: fs.FileHandle,
    size: number,
    expectedSize: number | undefined,
    home: IngestHome,
  ) {
    this.#key = key;
    this.#path = path;
    this.#file = file;
    this.#appender = new Appender(file, size);
    this.#size = size;
    this.offset = size;
    this.#expectedSize = expectedSize;
    this.#home = home;
  }

  static async open(
    key: string,
    path: string,
    size: number | undefined,
    home: IngestHome,
  ): Promise<FileIngest> {
    const file = await fs.open(path, 'a+', 0o644);
    try {
      const found = (await file.stat()).size;
      const fits = size === undefined || found <= size;
      if (!fits) await file.truncate(0);
      return new FileIngest(key, path, file, fits ? found : 0, size, home);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen();
    this.#size += chunk.byteLength;
    if (this.#expectedSize !== undefined && this.#size > this.#expectedSize) {
      const error = sizeMismatch(this.#key, this.#expectedSize, this.#size);
      await this.abort();
      throw error;
    }
    await this.#appender.append(chunk);
  }

  async follow(): Promise<GrowingFile> {
    this.#assertOpen();
    const file = await fs.open(this.#path, 'r');
    return {
      fd: file.fd,
      grown: (beyond) => this.#grown(beyond),
      [Symbol.asyncDispose]: () => file.close(),
    };
  }

  async commit(
    expected?: Digest,
    onVerified?: () => void,
  ): Promise<{ readonly digest: Digest; readonly size: number }> {
    this.#assertOpen();
    await this.#appender.flush();
    if (this.#expectedSize !== undefined && this.#size !== this.#expectedSize) {
      const error = sizeMismatch(this.#key, this.#expectedSize, this.#size);
      // Too short is an interruption: what is there is worth keeping.
      await this.#close(undefined);
      throw error;
    }
    this.#state = 'complete';
    this.#appender.wake();
    let committed: Digest | undefined;
    try {
      const digest = await this.#home.digest(this.#path);
      if (expected !== undefined && expected !== digest) {
        await fs.rm(this.#path, { force: true });
        throw digestMismatch(expected, digest, this.#size);
      }
      onVerified?.();
      await this.#file.datasync();
      await this.#home.adopt(this.#path, digest, this.#size);
      committed = digest;
      return { digest, size: this.#size };
    } finally {
      await this.#close(committed);
    }
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    await fs.rm(this.#path, { force: true });
    await this.#close(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'open') await this.#close(undefined);
  }

  async #grown(beyond: number): Promise<number> {
    while (this.#appender.written <= beyond) {
      if (this.#state === 'complete') return this.#appender.written;
      this.#assertOpen();
      await this.#appender.progress();
    }
    return this.#appender.written;
  }

  async #close(committed: Digest | undefined): Promise<void> {
    this.#state = committed === undefined ? 'closed' : 'complete';
    try {
      await this.#appender.close();
    } finally {
      this.#home.leave(committed);
    }
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw ingestClosed(this.#key);
  }
}

/** Handed to a writer whose blob is already there. */
export class DoneIngest implements Ingest {
  readonly done = true;
  readonly offset: number;
  readonly #digest: Digest;

  constructor(digest: Digest, size: number) {
    this.#digest = digest;
    this.offset = size;
  }

  async write(): Promise<void> {
    throw ingestClosed(this.#digest);
  }

  async follow(): Promise<GrowingFile> {
    throw ingestClosed(this.#digest);
  }

  async commit(
    expected?: Digest,
    onVerified?: () => void,
  ): Promise<{ readonly digest: Digest; readonly size: number }> {
    if (expected !== undefined && expected !== this.#digest) {
      throw digestMismatch(expected, this.#digest, this.offset);
    }
    onVerified?.();
    return { digest: this.#digest, size: this.offset };
  }

  async abort(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}
