/**
 * Blobs of a folder in the form of an OCI image layout (`blobs/<algorithm>/<hex>`), which is that of a containerd
 * content store too. A blob appears whole and verified, or not at all; its index is nobody's business here.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BlobInfo, ByteRange, Descriptor } from '../../core/contracts/content.js';
import { BuildError, invalid, notFound, unsupported } from '../../core/contracts/errors.js';
import type { ClientContent } from '../../core/contracts/session.js';
import { type Digest, hexOf, isDigest } from '../../core/util/digest.js';
import { newId } from '../../core/util/identity.js';
import { isErrno } from '../../core/util/linux/system-error.js';

/** Bytes: what is read, and sent, at a time. */
const CHUNK = 1 << 20;

export interface LayoutStoreOptions {
  /** Whether daemons may add blobs. */
  readonly writable?: boolean;
  /** What becomes of labels: a folder has no place for them. */
  readonly labeled?: (blob: BlobInfo) => Promise<void>;
}

export class LayoutStore implements ClientContent {
  readonly #dir: string;
  readonly #writable: boolean;
  readonly #labeled: LayoutStoreOptions['labeled'];

  constructor(dir: string, options: LayoutStoreOptions = {}) {
    this.#dir = dir;
    this.#writable = options.writable ?? false;
    this.#labeled = options.labeled;
  }

  async info(digest: Digest, _signal?: AbortSignal): Promise<BlobInfo | undefined> {
    try {
      const found = await stat(this.#path(digest));
      return { digest, size: found.size, createdAt: found.mtimeMs, labels: {} };
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  }

  async *read(
    { digest }: Pick<Descriptor, 'digest'>,
    { offset = 0, length = Number.POSITIVE_INFINITY }: ByteRange,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    const file = await this.#open(digest);
    try {
      const { size } = await file.stat();
      if (offset > size) {
        throw new BuildError('client.content', `read past the ${size} bytes of blob ${digest}`, {
          grpcCode: 'OutOfRange',
        });
      }
      const end = Math.min(size, offset + length);
      for (let at = offset; at < end; ) {
        signal.throwIfAborted();
        const want = Math.min(CHUNK, end - at);
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(want), 0, want, at);
        if (bytesRead === 0)
          throw new BuildError('client.content', `blob ${digest} shrank while it was read`);
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  async write(
    { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
    data: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    if (!this.#writable) {
      throw unsupported('client.content', `the content store ${this.#dir} is only offered for reading`);
    }
    const target = this.#path(digest);
    if (await this.info(digest)) return;
    await mkdir(path.dirname(target), { recursive: true });
    const temporary = path.join(path.dirname(target), `.${newId()}`);
    try {
      const written = await writeHashed(temporary, data, signal);
      if (written.digest !== digest) throw mismatch(digest, digest, written.digest);
      if (size > 0 && written.size !== size) throw mismatch(digest, `${size} bytes`, `${written.size} bytes`);
      await rename(temporary, target);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async label(digest: Digest, labels: Readonly<Record<string, string>>): Promise<boolean> {
    if (!this.#labeled) return false;
    const blob = await this.info(digest);
    if (!blob) throw notFound('client.no-blob', `blob ${digest}: not found in ${this.#dir}`);
    await this.#labeled({ ...blob, labels });
    return true;
  }

  #path(digest: Digest): string {
    if (!isDigest(digest)) throw invalid('client.content', `"${digest}" is not a digest`);
    return path.join(this.#dir, 'blobs', digest.slice(0, digest.indexOf(':')), hexOf(digest));
  }

  async #open(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.#path(digest));
    } catch (cause) {
      if (!isErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause;
      throw notFound('client.no-blob', `blob ${digest}: not found in ${this.#dir}`, { cause });
    }
  }
}

async function writeHashed(
  file: string,
  data: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  const handle = await open(file, 'wx', 0o644);
  try {
    for await (const chunk of data) {
      signal.throwIfAborted();
      hash.update(chunk);
      await handle.writeFile(chunk);
      size += chunk.length;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

const mismatch = (digest: Digest, expected: string, got: string): BuildError =>
  new BuildError('client.content', `blob ${digest}: expected ${expected}, the daemon sent ${got}`, {
    grpcCode: 'FailedPrecondition',
  });
