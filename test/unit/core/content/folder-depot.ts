import fs from 'node:fs/promises';
import path from 'node:path';
import type { BlobDepot, BlobInfo } from '../../../../core/contracts/content.js';
import { notFound } from '../../../../core/contracts/errors.js';
import { type Digest, hexOf } from '../../../../core/util/digest.js';

/** A depot in a folder. `others`: what was brought there by somebody else. */
export class FolderDepot implements BlobDepot {
  readonly others = new Map<Digest, BlobInfo>();
  readonly #dir: string;
  readonly #held = new Map<Digest, BlobInfo>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  get(digest: Digest): BlobInfo | undefined {
    return this.#held.get(digest);
  }

  entries(): Iterable<BlobInfo> {
    return this.#held.values();
  }

  async find(digest: Digest): Promise<BlobInfo | undefined> {
    const found = this.others.get(digest);
    if (found) this.#held.set(digest, found);
    return found;
  }

  path(digest: Digest): string {
    return path.join(this.#dir, hexOf(digest));
  }

  async put(file: string, blob: Pick<BlobInfo, 'digest' | 'size' | 'labels'>): Promise<void> {
    await fs.mkdir(this.#dir, { recursive: true });
    await fs.copyFile(file, this.path(blob.digest));
    this.#held.set(blob.digest, { ...blob, createdAt: Date.now() });
  }

  async label(
    digest: Digest,
    labels: Readonly<Record<string, string>>,
    { found } = { found: false },
  ): Promise<BlobInfo> {
    const known = this.#held.get(digest);
    if (!known) throw notFound('content.not-found', `content ${digest}: not found`);
    const all = Object.entries({ ...known.labels, ...labels }).filter(([, value]) => value !== '');
    const blob = {
      ...known,
      labels: Object.fromEntries(all),
      createdAt: found ? Date.now() : known.createdAt,
    };
    this.#held.set(digest, blob);
    return blob;
  }

  async release(digest: Digest): Promise<void> {
    this.#held.delete(digest);
  }
}
