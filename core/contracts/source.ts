import type { Digest } from '../util/digest.js';
import type { Platform } from '../util/platform.js';
import type { Descriptor } from './content.js';
import type { Progress, ProgressSteps } from './progress.js';
import type { ImmutableRef } from './refs.js';
import type { SessionGroup } from './session.js';
import { family, type TokenFamily } from './token.js';
import type { Worker } from './worker.js';

/** Fetches what an LLB source op names. Bound by scheme: `Sources.named('docker-image')`. */
export interface Source {
  /** Checks identifier and attributes; throws InvalidArgument naming the attribute. No I/O. */
  open(request: SourceRequest): OpenSource;
  /** What a frontend may learn without a tree: what is filled in is the source's own. Absent where it makes no sense. */
  resolve?(request: SourceRequest, context: ResolveContext, signal: AbortSignal): Promise<SourceMeta>;
}
export const Sources: TokenFamily<Source> = family('Source');

export interface SourceRequest {
  readonly scheme: string;
  /** What follows `scheme://`. */
  readonly name: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly platform: Platform;
}

export interface OpenSource {
  /**
   * The n-th cache key (wire facts E5.7). `done: false` promises another, usually dearer one. A key that starts
   * with `session:` never persists.
   */
  cacheKey(index: number, context: SourceContext, signal: AbortSignal): Promise<SourceKey>;
  /** The tree; undefined is scratch. Called at most once, after `cacheKey(0)`. */
  fetch(context: SourceContext, signal: AbortSignal): Promise<ImmutableRef | undefined>;
}

export interface SourceKey {
  readonly key: string;
  readonly done: boolean;
  /** What the key stands for, for provenance. A source that tells none is no material of a build. */
  readonly origin?: SourceOrigin;
}

/** Where a tree comes from, pinned. BuildKit: solver/llbsolver/provenance/types. */
export type SourceOrigin =
  | {
      readonly kind: 'image';
      /** In full: `docker.io/library/busybox:latest`. */
      readonly ref: string;
      readonly platform: Platform | undefined;
      readonly digest: Digest;
      /** Handed in by the client, and no image of a registry. */
      readonly local: boolean;
    }
  | {
      readonly kind: 'git';
      /** With `#<ref>`, if one was asked for. */
      readonly url: string;
      readonly commit: string;
      /** Ids of secrets and of the agent that may have been used. */
      readonly secrets: readonly string[];
      readonly ssh: string | undefined;
    }
  | { readonly kind: 'http'; readonly url: string; readonly digest: Digest }
  | { readonly kind: 'local'; readonly name: string };

export interface SourceContext {
  readonly worker: Worker;
  readonly sessions: SessionGroup;
  readonly progress: Progress;
}

export interface ResolveContext {
  readonly worker: Worker;
  readonly sessions: SessionGroup;
  readonly steps: ProgressSteps;
  /** Name of the progress row, such as `[internal] load metadata for …`. */
  readonly logName: string;
  /** Also the raw objects of a git source's commit and tag. */
  readonly returnObjects?: boolean;
  /** Also what an image's signatures and provenance are checked with. */
  readonly attestationChain?: boolean;
}

export interface SourceMeta {
  /** With the digest filled in where the source has one. */
  readonly identifier: string;
  readonly image?: ImageMeta;
  readonly git?: GitMeta;
  readonly http?: HttpMeta;
}

export interface ImageMeta {
  /** Of what the reference stands for: a manifest, or an index. */
  readonly digest: Digest;
  readonly config: Uint8Array;
  /** Only when it was asked for. */
  readonly attestationChain?: AttestationChain;
}

/** The manifests that vouch for an image, with their bytes. BuildKit: client/llb/sourceresolver/types.go. */
export interface AttestationChain {
  readonly root: Digest;
  readonly imageManifest: Digest | undefined;
  readonly attestationManifest: Digest | undefined;
  readonly signatureManifests: readonly Digest[];
  readonly blobs: ReadonlyMap<Digest, { readonly descriptor: Descriptor; readonly data: Uint8Array }>;
}

/** BuildKit: source/git/source.go Metadata. */
export interface GitMeta {
  /** As the remote calls it: `refs/heads/main`; a commit for one that was asked for by its hash. */
  readonly ref: string;
  /** Of what the ref names: a commit, or an annotated tag. */
  readonly checksum: string;
  /** Of the commit that an annotated tag names. */
  readonly commitChecksum: string | undefined;
  /** Both only when they were asked for. */
  readonly commitObject?: Uint8Array;
  readonly tagObject?: Uint8Array;
}

/** BuildKit: source/http/source.go Metadata. */
export interface HttpMeta {
  readonly digest: Digest;
  readonly filename: string;
  /** Milliseconds since the epoch, whole seconds. */
  readonly lastModified: number | undefined;
}
