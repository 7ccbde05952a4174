import type { Digest } from '../util/digest.js';
import type { ImageReference } from '../util/image-reference.js';
import type { ContentProvider, Descriptor } from './content.js';
import type { SessionGroup } from './session.js';
import { type Token, token } from './token.js';

/**
 * Image registries, for sources, exporters and caches. Mirrors, certificates, credentials, retries and limits are
 * the implementation's business.
 *
 * ```ts
 * const repository = registries.repository(parseImageReference('alpine:3.20'), { actions: 'pull', sessions });
 * const root = await repository.resolve(signal);
 * const manifest = await repository.manifest(root, signal);
 * ```
 */
export interface Registries {
  repository(reference: ImageReference, access: RegistryAccess): Repository;
}
export const Registries: Token<Registries> = token('Registries');

export interface RegistryAccess {
  readonly actions: 'pull' | 'push';
  /** Who is asked for credentials. Sessions of later calls for the same repository serve pulls as well. */
  readonly sessions: SessionGroup;
  /** Accept any certificate, and plain HTTP (`registry.insecure`). */
  readonly insecure?: boolean;
  /** Told why a request is made again; lines end in a newline. */
  readonly log?: (line: string) => void;
}

/** One repository of one registry. */
export interface Repository {
  readonly reference: ImageReference;
  /** Finds what the reference's digest, or else its tag, stands for. NotFound when there is no such manifest. */
  resolve(signal: AbortSignal): Promise<Descriptor>;
  /** A manifest, an index, or another small JSON blob: whole, verified against the descriptor's digest. */
  manifest(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array>;
  /**
   * Blobs. A broken download goes on where it stopped. A blob read whole is verified while it streams: the
   * iteration fails at its end with `registry.digest-mismatch`.
   */
  readonly blobs: ContentProvider;
  /** The size of a blob that only its digest is known of. NotFound when there is none. */
  blob(digest: Digest, signal: AbortSignal): Promise<Descriptor>;
  /** Manifests that refer to this one, such as signatures. Empty where the registry keeps no such lists. */
  referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]>;
  /** True when the registry already has this blob (or manifest, by media type). */
  has(descriptor: Descriptor, signal: AbortSignal): Promise<boolean>;
  /** Uploads a blob, unless the registry has it or can mount it from `options.mountFrom`. */
  pushBlob(
    descriptor: Descriptor,
    source: ContentProvider,
    options: PushBlob,
    signal: AbortSignal,
  ): Promise<void>;
  /** Stores a manifest under its digest, and under `tag` if given. All that it names must be there already. */
  pushManifest(
    descriptor: Descriptor,
    data: Uint8Array,
    tag: string | undefined,
    signal: AbortSignal,
  ): Promise<void>;
}

export interface PushBlob {
  /** Repositories of the same registry, by path, that are known to have the blob. */
  readonly mountFrom?: readonly string[];
  /** Bytes sent so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** Label on a blob: the repositories (comma list) of a registry it is known to exist in. BuildKit and containerd agree on it. */
export const sourceLabel = (domain: string): string => `containerd.io/distribution.source.${domain}`;
