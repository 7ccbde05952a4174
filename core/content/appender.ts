import type { FileHandle } from 'node:fs/promises';
import { type Deferred, deferred } from '../util/deferred.js';

/** Bytes that may wait for the disk before a writer is held up. */
const AHEAD = 1 << 20;

/**
 * Appends chunks to a file, those that come while it writes in one go, and tells how far it has got. A failure is told
 * to every later call.
 */
export class Appender {
  readonly #file: FileHandle;
  #waiting: Uint8Array[] = [];
  #ahead = 0;
  #written: number;
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #watchers: Deferred<void>[] = [];

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#written = size;
  }

  /** In the file. */
  get written(): number {
    return this.#written;
  }

  /** Resolves when there is room for the next one. */
  async append(chunk: Uint8Array): Promise<void> {
    this.#throwFailure();
    this.#waiting.push(chunk);
    this.#ahead += chunk.byteLength;
    this.#writing ??= this.#write();
    if (this.#ahead < AHEAD) return;
    await this.#writing;
    this.#throwFailure();
  }

  /** Resolves when all is in the file. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#throwFailure();
  }

  /** Waits for what is being written, tells the watchers, and closes the file. */
  async close(): Promise<void> {
    try {
      await this.#writing;
    } finally {
      await this.#file.close();
      this.wake();
    }
  }

  /** The next time that something was written, or that nothing will be any more. */
  progress(): Promise<void> {
    const watcher = deferred<void>();
    this.#watchers.push(watcher);
    return watcher.promise;
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#writeAll(this.#waiting.splice(0));
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#writing = undefined;
      this.wake();
    }
  }

  async #writeAll(chunks: readonly Uint8Array[]): Promise<void> {
    const size = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    let { bytesWritten } = await this.#file.writev(chunks);
    if (bytesWritten < size) {
      const rest = Buffer.concat(chunks).subarray(bytesWritten);
      for (let at = 0; at < rest.length; ) at += (await this.#file.write(rest, at)).bytesWritten;
      bytesWritten = size;
    }
    this.#ahead -= size;
    this.#written += size;
    this.wake();
  }

  /** Lets the watchers look again. */
  wake(): void {
    for (const watcher of this.#watchers.splice(0)) watcher.resolve();
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
