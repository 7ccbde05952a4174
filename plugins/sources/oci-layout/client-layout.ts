/**
 * An OCI layout that a client of the build serves: found among its sessions, read blob by blob. Facts: BuildKit
 * source/containerimage/ocilayout.go.
 */
import { createHash } from 'node:crypto';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import { BuildError, notFound } from '../../../core/contracts/errors.js';
import type { ClientContent, SessionGroup, Sessions } from '../../../core/contracts/session.js';
import { collect } from '../../../core/util/chunks.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { detectMediaType } from '../shared/image-documents.js';
import type { ImageOrigin } from '../shared/image-puller.js';
import type { LayoutRequest } from './attributes.js';

/** Bytes: what a manifest or config may have. */
const maxDocument = 8 * 1024 * 1024;

export class ClientLayout implements ImageOrigin {
  readonly private = true;
  readonly reference: LayoutRequest['reference'];
  readonly blobs: ContentProvider;
  readonly #sessions: Sessions;
  readonly #group: SessionGroup;
  readonly #store: string;

  constructor(
    sessions: Sessions,
    group: SessionGroup,
    { reference, session, store }: Pick<LayoutRequest, 'reference' | 'session' | 'store'>,
  ) {
    this.reference = reference;
    this.#sessions = sessions;
    this.#group = session === '' ? group : { ids: () => [session] };
    this.#store = `oci:${store}`;
    this.blobs = { read: (descriptor, range, signal) => this.#read(descriptor, range, signal) };
  }

  async find(digest: Digest, signal: AbortSignal): Promise<Descriptor> {
    const { size } = await this.#find(digest, signal);
    return { mediaType: '', digest, size };
  }

  /** The media type stands nowhere but in the document itself. */
  async resolve(signal: AbortSignal): Promise<Descriptor> {
    const { digest } = this.reference;
    const { size } = await this.#find(digest, signal);
    const data = await this.manifest({ mediaType: '', digest, size }, signal);
    return { mediaType: detectMediaType(data, this.#name), digest, size };
  }

  async manifest({ digest }: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    const { store, size } = await this.#find(digest, signal);
    if (size > maxDocument) throw tooLarge(this.#name, digest, size);
    const data = await collect(store.read({ mediaType: '', digest, size }, {}, signal));
    const got = sha256(data);
    if (got !== digest) throw mismatch(this.#name, digest, got);
    return data;
  }

  async *#read(
    descriptor: Descriptor,
    range: Parameters<ContentProvider['read']>[1],
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    const { store, size } = await this.#find(descriptor.digest, signal);
    const { offset = 0, length = size - offset, unverified = false } = range;
    const hash = offset === 0 && length >= size && !unverified ? createHash('sha256') : undefined;
    for await (const chunk of store.read(descriptor, range, signal)) {
      hash?.update(chunk);
      yield chunk;
    }
    const got: Digest | undefined = hash && `sha256:${hash.digest('hex')}`;
    if (got !== undefined && got !== descriptor.digest) throw mismatch(this.#name, descriptor.digest, got);
  }

  /** The first session that has the blob, and its size. */
  #find(
    digest: Digest,
    signal: AbortSignal,
  ): Promise<{ readonly store: ClientContent; readonly size: number }> {
    return this.#sessions.any(
      this.#group,
      async (session) => {
        const store = session.content(this.#store);
        const found = await store.info(digest, signal);
        if (found) return { store, size: found.size };
        throw notFound('source.no-blob', `${this.#name}: blob ${digest} is not in the layout`);
      },
      signal,
    );
  }

  get #name(): string {
    const { domain, path, digest } = this.reference;
    return `${domain}/${path}@${digest}`;
  }
}

const tooLarge = (name: string, digest: Digest, size: number): BuildError =>
  new BuildError('image.corrupt', `${name}: ${digest} has ${size} bytes, too many for a manifest or config`, {
    grpcCode: 'ResourceExhausted',
  });

const mismatch = (name: string, expected: Digest, got: Digest): BuildError =>
  new BuildError('image.corrupt', `${name}: the layout holds ${got} under the name ${expected}`, {
    grpcCode: 'DataLoss',
    hint: 'a blob of the layout is damaged; write the layout again',
  });
