/**
 * Frontends turn a build request into LLB. In process they talk to the {@link Gateway}; over a socket the same
 * calls are LLBBridge. BuildKit: frontend/gateway/client/client.go.
 */
import type { Digest } from '../util/digest.js';
import type { Platform } from '../util/platform.js';
import type { BuildError } from './errors.js';
import type { LinuxResources } from './executor.js';
import type { TreeStat } from './files.js';
import type { ContainerRequest, GatewayContainer } from './gateway-container.js';
import type { Warning } from './progress.js';
import type { SourcePolicy } from './source-policy.js';
import { family, type TokenFamily } from './token.js';

export interface Frontend {
  solve(gateway: Gateway, request: FrontendRequest, signal: AbortSignal): Promise<FrontendResult>;
}
export const Frontends: TokenFamily<Frontend> = family('Frontend');

/** A definition as it travels: marshalled ops, metadata by digest of op bytes, source map. */
export interface LlbDefinition {
  readonly def: readonly Uint8Array[];
  readonly metadata: ReadonlyMap<Digest, LlbMetadata>;
  /** Marshalled pb.Source, if there is a source map. */
  readonly source?: Uint8Array;
}
export interface LlbMetadata {
  readonly ignoreCache: boolean;
  readonly description: Readonly<Record<string, string>>;
  readonly exportCache?: boolean;
  readonly caps: readonly string[];
  readonly progressGroup?: { readonly id: string; readonly name: string; readonly weak: boolean };
  /** Limits of an exec op's process; outside its cache key. */
  readonly resources?: LinuxResources;
}

export interface FrontendRequest {
  /** Frontend attributes as the client sent them: `target`, `build-arg:K`, `filename`, … */
  readonly opts: Readonly<Record<string, string>>;
  /** Named definitions handed in by the client (`context:x=input:y`). */
  readonly inputs: ReadonlyMap<string, LlbDefinition>;
}

export interface Gateway {
  readonly sessionId: string;
  readonly workers: readonly {
    readonly id: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly platforms: readonly Platform[];
  }[];
  /** LLB capabilities of the daemon (`mergeop`, `exec.mount.cache`, …); absent: what `client/llb` writes by default. */
  readonly llbCaps?: ReadonlySet<string>;
  /** Loads and solves, lazily unless `evaluate`. */
  solve(request: GatewaySolve, signal: AbortSignal): Promise<FrontendResult>;
  resolveImageConfig(ref: string, options: ResolveImageOptions, signal: AbortSignal): Promise<ResolvedImage>;
  warn(definition: Digest, warning: Warning): void;
  /** A container of the frontend's own; it is gone with the build at the latest. */
  newContainer(request: ContainerRequest, signal: AbortSignal): Promise<GatewayContainer>;
}

export type GatewaySolve = {
  readonly evaluate?: boolean;
  readonly cacheImports?: readonly CacheEntry[];
  /** Beside the build's own. */
  readonly sourcePolicies?: readonly SourcePolicy[];
} & (
  | {
      readonly definition: LlbDefinition;
      /** Says more about a failure of the result, where the frontend knows more than the step that failed. */
      readonly explain?: Explain;
    }
  | {
      readonly frontend: string;
      readonly opts: Readonly<Record<string, string>>;
      readonly inputs?: ReadonlyMap<string, LlbDefinition>;
    }
);
export type Explain = (error: BuildError, signal: AbortSignal) => Promise<BuildError>;

export interface CacheEntry {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

export interface ResolveImageOptions {
  readonly platform?: Platform;
  /** `default`, `pull` or `local`. */
  readonly resolveMode?: string;
  readonly logName?: string;
  /** The image is in a client's OCI layout, and the reference names its digest. */
  readonly ociStore?: { readonly sessionId: string; readonly storeId: string };
  /** Beside the build's own. */
  readonly sourcePolicies?: readonly SourcePolicy[];
}
export interface ResolvedImage {
  /** The reference with everything filled in, as source policies left it. */
  readonly ref: string;
  readonly digest: Digest;
  /** The OCI image config, as it is stored. */
  readonly config: Uint8Array;
}

/** A tree that a frontend got back; solved when first read. */
export interface GatewayRef {
  readonly id: string;
  /** The definition it came from: build on it with `client/llb`. */
  readonly definition: LlbDefinition | undefined;
  evaluate(signal: AbortSignal): Promise<void>;
  readFile(
    path: string,
    range: { readonly offset?: number; readonly length?: number },
    signal: AbortSignal,
  ): Promise<Uint8Array>;
  readDir(
    path: string,
    includePattern: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly TreeStat[]>;
  statFile(path: string, signal: AbortSignal): Promise<TreeStat>;
}

/** One ref, or one per platform id, or none; undefined stands for scratch. */
export interface FrontendResult {
  readonly ref?: GatewayRef | undefined;
  readonly refs?: ReadonlyMap<string, GatewayRef | undefined>;
  /** `containerimage.config`, `refs.platforms`, … (wire facts E11.6). */
  readonly metadata: ReadonlyMap<string, Uint8Array>;
  /** By platform id. */
  readonly attestations?: ReadonlyMap<string, readonly Attestation[]>;
}

/** A statement about a result, in a file of a tree. BuildKit: solver/result/attestation.go. */
export interface Attestation {
  readonly kind: 'in-toto' | 'bundle';
  readonly metadata: ReadonlyMap<string, Uint8Array>;
  readonly ref: GatewayRef | undefined;
  readonly path: string;
  readonly predicateType: string;
  readonly subjects: readonly AttestationSubject[];
}
/** `self`: the result that it goes with. */
export interface AttestationSubject {
  readonly kind: 'self' | 'raw';
  readonly name: string;
  readonly digests: readonly string[];
}
