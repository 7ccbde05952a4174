/**
 * Ops as this engine works on them: every field present, enums by name, 64-bit numbers exact, invariants checked
 * (decode.ts). The wire form stays outside.
 */
import type { Digest } from '../util/digest.js';
import type { Platform } from '../util/platform.js';

export interface LlbOp {
  readonly inputs: readonly OpInput[];
  /** As the op says it, not normalised. */
  readonly platform: Platform | undefined;
  /** Worker filters; any of them must match. */
  readonly constraints: readonly string[];
  readonly body: OpBody;
}
export interface OpInput {
  readonly digest: Digest;
  readonly index: number;
}

export type OpBody =
  | ExecBody
  | SourceBody
  | FileBody
  | BuildBody
  | MergeBody
  | DiffBody
  | PassthroughBody
  /** The last op of a definition: it only points at the result. */
  | { readonly kind: 'terminal' };

export interface SourceBody {
  readonly kind: 'source';
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
}

export interface MergeBody {
  readonly kind: 'merge';
  readonly inputs: readonly number[];
}

/** An input of -1 is scratch. */
export interface DiffBody {
  readonly kind: 'diff';
  readonly lower: number;
  readonly upper: number;
}

export interface BuildBody {
  readonly kind: 'build';
  readonly builder: number;
  readonly inputs: ReadonlyMap<string, number>;
  /** Which op input holds the definition to solve. */
  readonly definitionInput: number;
  readonly attrs: ReadonlyMap<string, string>;
}

export interface PassthroughBody {
  readonly kind: 'passthrough';
  readonly id: string;
  readonly outputs: readonly number[];
}

// Enum values stand at their wire numbers.
export const networkModes = ['sandbox', 'host', 'none'] as const;
export const securityModes = ['sandbox', 'insecure'] as const;
export const mountTypes = ['bind', 'secret', 'ssh', 'cache', 'tmpfs'] as const;
export const cacheSharings = ['shared', 'private', 'locked'] as const;
export const contentCaches = ['default', 'on', 'off'] as const;

export interface ExecBody {
  readonly kind: 'exec';
  readonly meta: ExecMeta;
  readonly mounts: readonly ExecMountSpec[];
  readonly network: (typeof networkModes)[number];
  readonly security: (typeof securityModes)[number];
  readonly secretEnv: readonly SecretEnv[];
  readonly cdiDevices: readonly { readonly name: string; readonly optional: boolean }[];
}

export interface ExecMeta {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly proxy: ProxySettings | undefined;
  readonly extraHosts: readonly { readonly host: string; readonly ip: string }[];
  readonly hostname: string;
  readonly ulimits: readonly { readonly name: string; readonly soft: bigint; readonly hard: bigint }[];
  readonly cgroupParent: string;
  readonly removeMountStubsRecursive: boolean;
  readonly validExitCodes: readonly number[];
}
export interface ProxySettings {
  readonly http: string;
  readonly https: string;
  readonly ftp: string;
  readonly no: string;
  readonly all: string;
}
export interface SecretEnv {
  readonly id: string;
  readonly name: string;
  readonly optional: boolean;
}

export interface ExecMountSpec {
  /** -1: no input. */
  readonly input: number;
  readonly selector: string;
  readonly dest: string;
  /** -1: no output. Ask {@link hasOutput}: clients leave it at 0 where there cannot be one. */
  readonly output: number;
  readonly readonly: boolean;
  readonly type: (typeof mountTypes)[number];
  readonly tmpfs: { readonly size: bigint } | undefined;
  readonly cache: { readonly id: string; readonly sharing: (typeof cacheSharings)[number] } | undefined;
  readonly secret: SecretFile | undefined;
  readonly ssh: SecretFile | undefined;
  readonly resultId: string;
  readonly contentCache: (typeof contentCaches)[number];
}

/** Only what shows a tree can have one. */
export const hasOutput = ({ type, output }: ExecMountSpec): boolean =>
  (type === 'bind' || type === 'cache') && output !== -1;

export interface SecretFile {
  readonly id: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly optional: boolean;
}

export interface FileBody {
  readonly kind: 'file';
  readonly actions: readonly FileStep[];
}

/**
 * One action. `input` is the tree it changes, `secondaryInput` the tree a copy reads: an input of the op, or, from
 * the number of inputs on, the tree an earlier action left; -1 is scratch. `output` -1: an intermediate tree.
 */
export interface FileStep {
  readonly input: number;
  readonly secondaryInput: number;
  readonly output: number;
  readonly action: FileStepAction;
}

/** A user or group: by number, by name in the tree of an input, or (`unset`) as it is. */
export type OwnerRef =
  | { readonly kind: 'id'; readonly id: number }
  | { readonly kind: 'name'; readonly name: string; readonly input: number }
  | { readonly kind: 'unset' };
export interface OwnerRefs {
  readonly user: OwnerRef | undefined;
  readonly group: OwnerRef | undefined;
}

/** Modes of -1 keep the source's; timestamps are nanoseconds since the epoch, -1 is now. */
export type FileStepAction =
  | CopyStep
  | {
      readonly kind: 'mkfile';
      readonly path: string;
      readonly mode: number;
      readonly data: Uint8Array;
      readonly owner: OwnerRefs | undefined;
      readonly timestamp: bigint;
    }
  | {
      readonly kind: 'mkdir';
      readonly path: string;
      readonly mode: number;
      readonly makeParents: boolean;
      readonly owner: OwnerRefs | undefined;
      readonly timestamp: bigint;
    }
  | {
      readonly kind: 'symlink';
      readonly oldpath: string;
      readonly newpath: string;
      readonly owner: OwnerRefs | undefined;
      readonly timestamp: bigint;
    }
  | {
      readonly kind: 'rm';
      readonly path: string;
      readonly allowNotFound: boolean;
      readonly allowWildcard: boolean;
    };

export interface CopyStep {
  readonly kind: 'copy';
  readonly src: string;
  readonly dest: string;
  readonly owner: OwnerRefs | undefined;
  readonly mode: number;
  readonly followSymlink: boolean;
  readonly dirCopyContents: boolean;
  readonly attemptUnpack: boolean;
  readonly createDestPath: boolean;
  readonly allowWildcard: boolean;
  readonly allowEmptyWildcard: boolean;
  readonly timestamp: bigint;
  readonly includePatterns: readonly string[];
  readonly excludePatterns: readonly string[];
  readonly alwaysReplaceExistingDestPaths: boolean;
  readonly modeStr: string;
  readonly requiredPaths: readonly string[];
}
