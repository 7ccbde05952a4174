import { readSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { ContentStore, Descriptor, GrowingFile } from '../../core/contracts/content.js';
import type {
  ApplyOptions,
  CompareOptions,
  Differ,
  LayerBlob,
  TreeChange,
} from '../../core/contracts/differ.js';
import type { Mount } from '../../core/contracts/mount.js';
import { stackOf } from '../../core/snapshot/mount-stack.js';
import { type Digest, sha256 } from '../../core/util/digest.js';

/** A layer of the fake: file names and their texts, with the compression as a prefix. */
export const fakeLayer = (files: Readonly<Record<string, string>>, compression = 'gzip'): Uint8Array =>
  Buffer.from(`${compression}|${JSON.stringify(files)}`);

export const fakeDiffId = (layer: Uint8Array): Digest =>
  sha256(Buffer.from(layer).subarray(Buffer.from(layer).indexOf('|')));

const typeOf = (compression: string): string =>
  `application/vnd.oci.image.layer.v1.tar${compression === 'uncompressed' ? '' : `+${compression}`}`;

/** Layers as lists of files, written into and read from the topmost directory. */
export class FakeDiffer implements Differ {
  readonly #content: ContentStore;
  /** Digests in the order in which their layers were unpacked. */
  readonly applied: Digest[] = [];
  readonly compared: { readonly lower: number; readonly compression: string }[] = [];
  /** Awaited before a layer is unpacked. */
  gate: (layer: Descriptor, signal: AbortSignal) => Promise<void> = async () => {};

  constructor(content: ContentStore) {
    this.#content = content;
  }

  async apply(layer: Descriptor, onto: readonly Mount[], options: ApplyOptions): Promise<{ diffId: Digest }> {
    await this.gate(layer, options.signal);
    const data = Buffer.from(await this.#content.readBlob(layer.digest));
    return this.write(layer, data, onto, options);
  }

  protected async write(
    layer: Descriptor,
    data: Buffer,
    onto: readonly Mount[],
    options: ApplyOptions,
  ): Promise<{ diffId: Digest }> {
    const files = JSON.parse(data.subarray(data.indexOf('|') + 1).toString()) as Record<string, string>;
    for (const [name, text] of Object.entries(files)) {
      await fs.writeFile(path.join(stackOf(onto).layers[0]!, name), text);
    }
    options.onProgress?.(data.length);
    this.applied.push(layer.digest);
    return { diffId: fakeDiffId(data) };
  }

  async replay(changes: readonly TreeChange[], onto: readonly Mount[]): Promise<void> {
    const target = stackOf(onto).layers[0]!;
    for (const { lower, upper } of changes) {
      const known = new Set(lower.length === 0 ? [] : stackOf(lower).layers);
      for (const layer of stackOf(upper)
        .layers.filter((dir) => !known.has(dir))
        .reverse()) {
        await fs.cp(layer, target, { recursive: true });
      }
    }
  }

  async compare(
    lower: readonly Mount[],
    upper: readonly Mount[],
    options: CompareOptions,
  ): Promise<LayerBlob> {
    const below = lower.length === 0 ? [] : stackOf(lower).layers;
    const dir = stackOf(upper).layers[0]!;
    const files: Record<string, string> = {};
    for (const name of (await fs.readdir(dir)).sort()) {
      files[name] = await fs.readFile(path.join(dir, name), 'utf8');
    }
    const { type } = options.compression;
    this.compared.push({ lower: below.length, compression: type });
    const data = fakeLayer(files, type);
    const digest = await this.#content.writeBlob(data);
    return { descriptor: { mediaType: typeOf(type), digest, size: data.length }, diffId: fakeDiffId(data) };
  }
}

/** One that reads along. */
export class FakeFollowingDiffer extends FakeDiffer {
  /** Bytes that it had read each time before it waited for more. */
  readonly seen: number[] = [];

  async follow(
    layer: Descriptor,
    arriving: GrowingFile,
    onto: readonly Mount[],
    options: ApplyOptions,
  ): Promise<{ diffId: Digest }> {
    let size = 0;
    while (size < layer.size) {
      this.seen.push(size);
      size = await arriving.grown(size);
    }
    const data = Buffer.alloc(size);
    readSync(arriving.fd, data, 0, size, 0);
    return this.write(layer, data, onto, options);
  }
}
