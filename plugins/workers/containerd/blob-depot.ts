/**
 * containerd's content store, as the place where the engine's blobs are kept: other clients of the namespace see them,
 * and images may name them. The worker's lease holds what the engine knows of; giving that up leaves the blob to
 * containerd's garbage collection, which spares what its images refer to.
 *
 * The daemon runs on containerd's machine: blobs are written through the API, and read from their files.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { BlobDepot, BlobInfo } from '../../../core/contracts/content.js';
import { notFound } from '../../../core/contracts/errors.js';
import { type Digest, hexOf } from '../../../core/util/digest.js';
import { newId } from '../../../core/util/identity.js';
import { Content, Leases } from '../../../proto/containerd.js';
import type { content } from '../../../proto/index.js';
import { type Containerd, explained, failedWith, unless } from './containerd-client.js';
import type { GarbageRuns } from './garbage-runs.js';

const CHUNK = 1 << 20;
/** content.proto, WriteAction. */
const action = { write: 1, commit: 2 } as const;

export interface DepotParts {
  readonly containerd: Containerd;
  readonly garbage: GarbageRuns;
}

export class ContainerdDepot implements BlobDepot {
  readonly #parts: DepotParts;
  readonly #held = new Map<Digest, BlobInfo>();
  /** Given up, and perhaps still there: nobody is to find them now. */
  readonly #leaving = new Map<Digest, Promise<void>>();
  #root = '';

  constructor(parts: DepotParts) {
    this.#parts = parts;
  }

  /** Learns what the lease holds. `root`: where containerd keeps its content. */
  async open(root: string): Promise<void> {
    this.#root = root;
    const { containerd } = this.#parts;
    const { resources } = await containerd.call(Leases.ListResources, { id: containerd.lease });
    const held = new Set(resources.filter(({ type }) => type === 'content').map((resource) => resource.id));
    for await (const { info } of containerd.list(Content.List, {})) {
      for (const blob of info) if (held.has(blob.digest)) this.#remember(blob);
    }
  }

  get(digest: Digest): BlobInfo | undefined {
    return this.#held.get(digest);
  }

  entries(): Iterable<BlobInfo> {
    return this.#held.values();
  }

  async find(digest: Digest): Promise<BlobInfo | undefined> {
    const { containerd } = this.#parts;
    await this.#leaving.get(digest);
    try {
      const id = containerd.lease;
      await containerd.call(Leases.AddResource, { id, resource: { id: digest, type: 'content' } });
      const { info } = await containerd.call(Content.Info, { digest });
      return info && this.#remember(info);
    } catch (error) {
      if (!failedWith(error, 'NotFound')) throw explained(error, `looking for ${digest}`);
      await unless('NotFound', this.#letGo(digest));
      return undefined;
    }
  }

  path(digest: Digest): string {
    return path.join(this.#root, 'blobs', 'sha256', hexOf(digest));
  }

  async put(file: string, blob: Pick<BlobInfo, 'digest' | 'size' | 'labels'>): Promise<void> {
    await this.#leaving.get(blob.digest);
    try {
      await this.#write(file, blob);
    } catch (error) {
      const found = failedWith(error, 'AlreadyExists') && (await this.find(blob.digest));
      if (!found) throw explained(error, `storing ${blob.digest}`);
      await this.label(blob.digest, blob.labels, { found: true });
      return;
    }
    this.#held.set(blob.digest, { ...blob, createdAt: Date.now() });
  }

  async label(
    digest: Digest,
    labels: Readonly<Record<string, string>>,
    { found } = { found: false },
  ): Promise<BlobInfo> {
    const known = this.#held.get(digest);
    if (!known) throw notFound('content.not-found', `content ${digest}: not found`);
    const changed = Object.keys(labels).some((key) => (known.labels[key] ?? '') !== labels[key]);
    const merged = changed ? await this.#update(digest, labels) : known.labels;
    const blob = { ...known, labels: merged, ...(found ? { createdAt: Date.now() } : {}) };
    this.#held.set(digest, blob);
    return blob;
  }

  async release(digest: Digest): Promise<void> {
    if (!this.#held.delete(digest)) return;
    await unless('NotFound', this.#letGo(digest));
    const collected = this.#parts.garbage.soon().finally(() => this.#leaving.delete(digest));
    this.#leaving.set(digest, collected);
  }

  #remember({ digest, size, createdAt, labels }: content.Info): BlobInfo {
    const blob: BlobInfo = {
      digest: digest as Digest,
      size,
      createdAt: createdAt ? createdAt.seconds * 1000 : Date.now(),
      labels,
    };
    this.#held.set(blob.digest, blob);
    return blob;
  }

  async #letGo(digest: Digest): Promise<void> {
    const { containerd } = this.#parts;
    const resource = { id: digest, type: 'content' };
    await containerd.call(Leases.DeleteResource, { id: containerd.lease, resource });
  }

  /** Every write is answered; one that is refused ends the call. */
  async #write(file: string, { digest, size, labels }: Parameters<BlobDepot['put']>[1]): Promise<void> {
    const ref = `buildkit-ts/${digest}/${newId()}`;
    const call = await this.#parts.containerd.open(Content.Write.path);
    const answered = drain(call.messages.messages());
    // Told by the status, too.
    answered.catch(() => {});
    const send = (message: Partial<content.WriteContentRequest>): Promise<void> =>
      call.messages.send(Content.Write.requestSerialize({ ref, total: size, expected: digest, ...message }));
    try {
      let offset = 0;
      for await (const data of fs.createReadStream(file, { highWaterMark: CHUNK })) {
        await send({ action: action.write, offset, data });
        offset += data.length;
      }
      await send({ action: action.commit, offset, labels: { ...labels } });
      call.end();
    } catch (error) {
      call.cancel();
      // The status says why the other side did not want more.
      const status: unknown = await call.status.catch((reason: unknown) => reason);
      throw status === undefined || failedWith(status, 'Canceled') ? error : status;
    }
    await answered;
    await call.status;
  }

  /** An empty value removes its key, here as there. */
  async #update(
    digest: Digest,
    labels: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>> {
    const paths = Object.keys(labels).map((key) => `labels.${key}`);
    const request = { info: { digest, labels: { ...labels } }, updateMask: { paths } };
    try {
      const { info } = await this.#parts.containerd.call(Content.Update, request);
      return info?.labels ?? {};
    } catch (error) {
      throw explained(error, `labelling ${digest}`);
    }
  }
}

async function drain(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages);
}
