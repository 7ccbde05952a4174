/**
 * containerd's image store: exported images get names there, and, if asked, trees to start containers from. Those are
 * made by containerd itself, under the names that its clients look for: a layer's chain id.
 */
import type { ContentStore, Descriptor } from '../../../core/contracts/content.js';
import { BuildError } from '../../../core/contracts/errors.js';
import type { ImageStore, StorableImage } from '../../../core/contracts/image-store.js';
import { chainId } from '../../../core/util/chain-id.js';
import type { Digest } from '../../../core/util/digest.js';
import { newId } from '../../../core/util/identity.js';
import { isIndexType } from '../../../core/util/media-types.js';
import type { Platform } from '../../../core/util/platform.js';
import { choosePlatform } from '../../../core/util/platform-match.js';
import { Diff, Images, Leases, Snapshots, type types } from '../../../proto/containerd.js';
import type { ContainerdDepot } from './blob-depot.js';
import { type Containerd, explained, failedWith, unless } from './containerd-client.js';

export interface ImagesParts {
  readonly containerd: Containerd;
  readonly depot: ContainerdDepot;
  readonly content: ContentStore;
  readonly snapshotter: string;
  /** What the machine runs, best first. */
  readonly platforms: () => readonly Platform[];
}

/** As far as unpacking reads them. */
interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}
interface Config {
  readonly rootfs: { readonly diff_ids: readonly Digest[] };
}

export class ContainerdImages implements ImageStore {
  readonly #parts: ImagesParts;

  constructor(parts: ImagesParts) {
    this.#parts = parts;
  }

  async put({ root, blobs }: StorableImage, names: readonly string[], signal: AbortSignal): Promise<void> {
    for (const blob of blobs) await this.#bring(blob, signal);
    for (const name of names) await this.#name(name, root, signal);
  }

  async unpack({ root }: StorableImage, signal: AbortSignal): Promise<void> {
    const manifest = await this.#manifest(root);
    if (!manifest || manifest.layers.length === 0) return;
    const { depot, snapshotter } = this.#parts;
    const config = await this.#read<Config>(manifest.config);
    const chain: Digest[] = [];
    try {
      for (const [at, layer] of manifest.layers.entries()) {
        const diffIds = config.rootfs.diff_ids.slice(0, at + 1);
        await this.#unpackLayer(layer, diffIds, signal);
        chain.push(chainId(diffIds)!);
      }
      await depot.label(manifest.config.digest, {
        [`containerd.io/gc.ref.snapshot.${snapshotter}`]: chain.at(-1)!,
      });
    } catch (error) {
      throw explained(error, `unpacking ${root.digest}`);
    } finally {
      await this.#leave(chain);
    }
  }

  /** From wherever it lies to where containerd keeps it. */
  async #bring({ descriptor, provider }: StorableImage['blobs'][number], signal: AbortSignal): Promise<void> {
    const { content, depot } = this.#parts;
    const { digest, size } = descriptor;
    if (depot.get(digest)) return;
    if (!(await content.info(digest))) {
      await using ingest = await content.ingest({ key: digest, size }, signal);
      if (!ingest.done) {
        const from = { offset: ingest.offset, unverified: true };
        for await (const chunk of provider.read(descriptor, from, signal)) await ingest.write(chunk);
        await ingest.commit(digest);
      }
    }
    if (depot.get(digest)) return;
    const labels = (await content.info(digest))?.labels ?? {};
    await depot.put(content.path(digest), { digest, size, labels });
  }

  async #name(name: string, root: Descriptor, signal: AbortSignal): Promise<void> {
    const { containerd } = this.#parts;
    const image = { name, target: targetOf(root) };
    try {
      await containerd.call(Images.Create, { image }, signal);
    } catch (error) {
      if (!failedWith(error, 'AlreadyExists')) throw explained(error, `naming ${name}`);
      await containerd.call(Images.Update, { image, updateMask: { paths: ['target'] } }, signal);
    }
  }

  /** That of this machine; undefined when there is none. */
  async #manifest(root: Descriptor): Promise<Manifest | undefined> {
    if (!isIndexType(root.mediaType)) return this.#read<Manifest>(root);
    const { manifests } = await this.#read<{ readonly manifests: readonly Descriptor[] }>(root);
    const [native] = this.#parts.platforms();
    const images = manifests.filter(({ platform }) => platform);
    const chosen = native && choosePlatform(native, images);
    return chosen && this.#read<Manifest>(chosen);
  }

  async #read<T>({ digest }: Descriptor): Promise<T> {
    return JSON.parse(Buffer.from(await this.#parts.content.readBlob(digest)).toString()) as T;
  }

  async #unpackLayer(layer: Descriptor, diffIds: readonly Digest[], signal: AbortSignal): Promise<void> {
    const { containerd, snapshotter } = this.#parts;
    const [name, parent] = [chainId(diffIds)!, chainId(diffIds.slice(0, -1)) ?? ''];
    if (await this.#held(name)) return;
    const key = `extract-${newId()} ${name}`;
    const { mounts } = await containerd.call(Snapshots.Prepare, { snapshotter, key, parent }, signal);
    try {
      const { applied } = await containerd.call(Diff.Apply, { diff: targetOf(layer), mounts }, signal);
      const expected = diffIds.at(-1)!;
      if (applied?.digest !== expected) {
        throw new BuildError(
          'containerd.unpack',
          `layer ${layer.digest} unpacked to ${applied?.digest}, but the image says ${expected}`,
          { grpcCode: 'DataLoss' },
        );
      }
      // Somebody else may have been faster.
      await unless('AlreadyExists', containerd.call(Snapshots.Commit, { snapshotter, key, name }, signal));
    } finally {
      await unless('NotFound', containerd.call(Snapshots.Remove, { snapshotter, key }));
    }
  }

  /** Whether it is there; if so, it stays for the time being. */
  async #held(key: string): Promise<boolean> {
    const { containerd, snapshotter } = this.#parts;
    try {
      await containerd.call(Snapshots.Stat, { snapshotter, key });
      await containerd.call(Leases.AddResource, { id: containerd.lease, resource: this.#resource(key) });
      return true;
    } catch (error) {
      if (failedWith(error, 'NotFound')) return false;
      throw error;
    }
  }

  /** From here on the image keeps them. */
  async #leave(chain: readonly Digest[]): Promise<void> {
    const { containerd } = this.#parts;
    for (const key of chain) {
      const request = { id: containerd.lease, resource: this.#resource(key) };
      await unless('NotFound', containerd.call(Leases.DeleteResource, request));
    }
  }

  #resource(id: string): { readonly id: string; readonly type: string } {
    return { id, type: `snapshots/${this.#parts.snapshotter}` };
  }
}

const targetOf = ({ mediaType, digest, size, annotations }: Descriptor): types.Descriptor => ({
  mediaType,
  digest,
  size,
  annotations: { ...annotations },
});
