/**
 * A blob on its way in: bytes are appended to a file and hashed as they pass. What an interrupted writer left is
 * hashed again when the next writer of the key opens it, and continued.
 */
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs/promises';
import type { Ingest } from '../contracts/content.js';
import type { Digest } from '../util/digest.js';
import { digestMismatch, ingestClosed, sizeMismatch } from './errors.js';

/** What the store does for an ingest. */
export interface IngestHome {
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
  readonly #hash: Hash;
  readonly #expectedSize: number | undefined;
  readonly #home: IngestHome;
  #size: number;
  #open = true;

  private constructor(
    key: string,
    path: string,
    file: fs.FileHandle,
    found: { readonly hash: Hash; readonly size: number },
    expectedSize: number | undefined,
    home: IngestHome,
  ) {
    this.#key = key;
    this.#path = path;
    this.#file = file;
    this.#hash = found.hash;
    this.#size = found.size;
    this.offset = found.size;
    this.#expectedSize = expectedSize;
    this.#home = home;
  }

  static async open(
    key: string,
    path: string,
    size: number | undefined,
    home: IngestHome,
    signal: AbortSignal,
  ): Promise<FileIngest> {
    const file = await fs.open(path, 'a+', 0o644);
    try {
      const found = await hashFile(file, signal);
      if (size !== undefined && found.size > size) {
        await file.truncate(0);
        return new FileIngest(key, path, file, { hash: createHash('sha256'), size: 0 }, size, home);
      }
      return new FileIngest(key, path, file, found, size, home);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen();
    this.#hash.update(chunk);
    for (let written = 0; written < chunk.byteLength; ) {
      written += (await this.#file.write(chunk, written)).bytesWritten;
    }
    this.#size += chunk.byteLength;
    if (this.#expectedSize !== undefined && this.#size > this.#expectedSize) {
      await this.abort();
      throw sizeMismatch(this.#key, this.#expectedSize, this.#size);
    }
  }

  async commit(expected?: Digest): Promise<{ readonly digest: Digest; readonly size: number }> {
    this.#assertOpen();
    if (this.#expectedSize !== undefined && this.#size !== this.#expectedSize) {
      const error = sizeMismatch(this.#key, this.#expectedSize, this.#size);
      // Too short is an interruption: what is there is worth keeping.
      await this.#close(undefined);
      throw error;
    }
    const digest: Digest = `sha256:${this.#hash.digest('hex')}`;
    if (expected !== undefined && expected !== digest) {
      await this.abort();
      throw digestMismatch(expected, digest, this.#size);
    }
    let committed: Digest | undefined;
    try {
      await this.#file.datasync();
      await this.#home.adopt(this.#path, digest, this.#size);
      committed = digest;
    } finally {
      await this.#close(committed);
    }
    return { digest, size: this.#size };
  }

  async abort(): Promise<void> {
    if (!this.#open) return;
    await fs.rm(this.#path, { force: true });
    await this.#close(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#open) await this.#close(undefined);
  }

  async #close(committed: Digest | undefined): Promise<void> {
    this.#open = false;
    try {
      await this.#file.close();
    } finally {
      this.#home.leave(committed);
    }
  }

  #assertOpen(): void {
    if (!this.#open) throw ingestClosed(this.#key);
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

  async commit(expected?: Digest): Promise<{ readonly digest: Digest; readonly size: number }> {
    if (expected !== undefined && expected !== this.#digest) {
      throw digestMismatch(expected, this.#digest, this.offset);
    }
    return { digest: this.#digest, size: this.offset };
  }

  async abort(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

async function hashFile(file: fs.FileHandle, signal: AbortSignal): Promise<{ hash: Hash; size: number }> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  let size = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size);
    if (bytesRead === 0) return { hash, size };
    hash.update(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
}
