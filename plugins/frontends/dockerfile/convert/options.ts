import type {
  HostIp,
  NetworkMode,
  ResolveMode,
  SourceMap,
  State,
  Ulimit,
} from '../../../../client/llb/index.js';
import type { SourceRange } from '../../../../core/contracts/errors.js';
import type { LinuxResources } from '../../../../core/contracts/executor.js';
import type { ResolvedImage, ResolveImageOptions } from '../../../../core/contracts/frontend.js';
import type { Platform } from '../../../../core/util/platform.js';
import type { Image } from '../image-config/image.js';
import type { Linter } from '../lint/linter.js';
import type { StageBuild } from './stage-build.js';

/** What the client wants of every conversion. */
export interface ClientWishes {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** The stage to build; empty for the last. */
  readonly target: string;
  /** Step names then say which platform they are for. */
  readonly multiPlatform: boolean;
  readonly resolveMode: ResolveMode;
  readonly network: NetworkMode;
  readonly hostname: string;
  readonly extraHosts: readonly HostIp[];
  readonly ulimits: readonly Ulimit[];
  readonly cgroupParent: string;
  /** Bytes; 0 leaves /dev/shm as it is. */
  readonly shmSize: number;
  readonly resources: LinuxResources | undefined;
  readonly cacheNamespace: string;
  /** SOURCE_DATE_EPOCH. */
  readonly epoch: Date | undefined;
  isNoCache(stage: string): boolean;
}

/** What a conversion depends on, beside the Dockerfile. */
export interface ConvertOptions extends ClientWishes {
  /** Absent when the client named none: the image of the base then decides. */
  readonly targetPlatform: Platform | undefined;
  readonly buildPlatform: Platform;
  /** Convert stages that the target does not need, too. */
  readonly allStages: boolean;
  readonly lint: Linter;

  readonly sourceMap: SourceMap | undefined;
  /** What the daemon can do. */
  readonly caps: ReadonlySet<string>;
  readonly images: ImageResolver;
  readonly contexts: Contexts;
}

export interface ImageResolver {
  resolve(ref: string, options: ResolveImageOptions, signal: AbortSignal): Promise<ResolvedImage>;
}

/** The trees that a build may copy from, beside images. */
export interface Contexts {
  /** The main context, with only the paths that the build needs (undefined: all of it). */
  main(followPaths: readonly string[] | undefined, signal: AbortSignal): Promise<State>;
  /** Patterns of the .dockerignore that counts for it. */
  excludes(signal: AbortSignal): Promise<readonly string[]>;
  /** A context that the client gave this name. */
  named(name: string, options: NamedContextOptions): NamedContext | undefined;
}

export interface NamedContextOptions {
  readonly platform: Platform;
  readonly resolveMode: ResolveMode;
  /** Asked when the definition is written: which paths are needed is only known then. */
  readonly followPaths: () => readonly string[] | undefined;
}

export interface NamedContext {
  load(signal: AbortSignal): Promise<{ readonly state: State; readonly image: Image | undefined }>;
}

export interface Converted {
  readonly state: State;
  readonly image: Image;
  readonly baseImage: Image | undefined;
  /** For marshalling. */
  readonly platform: Platform;
  readonly target: StageBuild;
  readonly scans: ScanTargets;
}

/** What a bill of materials covers: the result, and other trees by name. */
export interface ScanTargets {
  readonly core: State;
  readonly extras: Map<string, State>;
  readonly ignoreCache: boolean;
}

export type Ranges = readonly SourceRange[];
