/**
 * The file actions of LLB, applied to a writable layer directly, without a mount, in worker threads. Paths never
 * leave the tree: symbolic links are resolved inside it. BuildKit: solver/llbsolver/file/backend.go.
 */
import type { Progress } from './progress.js';
import type { FileStat, ImmutableRef, MutableRef } from './refs.js';

export interface FileEngine {
  /**
   * Applies steps to `target`, one after the other. An immutable source file that keeps owner, mode, times and xattrs
   * is hard-linked instead of copied. A failure is a {@link FileStepError}, unless it is the caller's abort.
   */
  apply(
    target: MutableRef,
    steps: readonly FileStep[],
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void>;
  /** Reads (part of) a file of a tree. */
  readFile(
    ref: ImmutableRef,
    path: string,
    range: { readonly offset: number; readonly length?: number },
    signal: AbortSignal,
  ): Promise<Uint8Array>;
  readDir(
    ref: ImmutableRef,
    path: string,
    includePattern: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly TreeStat[]>;
  statFile(ref: ImmutableRef, path: string, signal: AbortSignal): Promise<TreeStat>;
}

export interface FileStep {
  readonly action: FileAction;
  /** The tree a copy reads; undefined is scratch. */
  readonly source: ImmutableRef | MutableRef | undefined;
}

/** Which of several steps failed. Why is the cause. */
export class FileStepError extends Error {
  override readonly name = 'FileStepError';
  readonly step: number;

  constructor(step: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.step = step;
  }
}

/** As the gateway's StatFile answers it; `path` is the base name for readDir entries. */
export type TreeStat = Omit<FileStat, 'xattrs'>;

/** A user as an op gives it; `in` is the tree whose /etc/passwd and /etc/group resolve names. */
export interface OwnerSpec {
  readonly user?:
    | { readonly id: number }
    | { readonly name: string; readonly in: ImmutableRef | MutableRef | undefined };
  readonly group?:
    | { readonly id: number }
    | { readonly name: string; readonly in: ImmutableRef | MutableRef | undefined };
}

/** Nanoseconds since the epoch, or undefined for "now" (`-1` on the wire). */
export type FileTime = bigint | undefined;

export type FileAction =
  | {
      readonly kind: 'copy';
      readonly src: string;
      readonly dest: string;
      readonly owner?: OwnerSpec;
      /** Octal permission bits; undefined keeps the source's. */
      readonly mode?: number;
      /** Symbolic, as in `u+x,go-w`; wins over `mode`. */
      readonly modeStr?: string;
      readonly followSymlink: boolean;
      readonly dirCopyContents: boolean;
      readonly attemptUnpack: boolean;
      readonly createDestPath: boolean;
      readonly allowWildcard: boolean;
      readonly allowEmptyWildcard: boolean;
      readonly timestamp: FileTime;
      readonly includePatterns: readonly string[];
      readonly excludePatterns: readonly string[];
      readonly requiredPaths: readonly string[];
      readonly alwaysReplaceExistingDestPaths: boolean;
    }
  | {
      readonly kind: 'mkfile';
      readonly path: string;
      readonly mode: number;
      readonly data: Uint8Array;
      readonly owner?: OwnerSpec;
      readonly timestamp: FileTime;
    }
  | {
      readonly kind: 'mkdir';
      readonly path: string;
      readonly mode: number;
      readonly makeParents: boolean;
      readonly owner?: OwnerSpec;
      readonly timestamp: FileTime;
    }
  | {
      readonly kind: 'symlink';
      readonly oldpath: string;
      readonly newpath: string;
      readonly owner?: OwnerSpec;
      readonly timestamp: FileTime;
    }
  | {
      readonly kind: 'rm';
      readonly path: string;
      readonly allowNotFound: boolean;
      readonly allowWildcard: boolean;
    };
