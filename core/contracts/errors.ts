/**
 * Every error that crosses a port is a {@link BuildError}. It carries a stable `code` for programs, the gRPC
 * code it travels as, an optional hint for people, and the typed details of BuildKit's wire format
 * (core/control/status.ts is the one place that maps them).
 */
import type { Digest } from '../util/digest.js';

/** gRPC status codes by name; the numbers stand in `grpcCodes`. */
export const grpcCodes = {
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;
export type GrpcCode = keyof typeof grpcCodes;

/** `area.problem`, lower case: `llb.invalid`, `source.not-found`, `exec.exit`, `canceled`. */
export type ErrorCode = 'canceled' | 'unknown' | `${string}.${string}`;

/** A position in a source file: lines from 1, characters from 0. */
export interface Position {
  readonly line: number;
  readonly character: number;
}
export interface SourceRange {
  readonly start: Position;
  readonly end: Position;
}
export interface SourceInfo {
  readonly filename: string;
  readonly data: Uint8Array;
  /** Marshalled LLB definition (proto bytes) that produced the file, if any. */
  readonly definition?: Uint8Array;
  readonly language?: string;
}

/** BuildKit: solver/errdefs. One variant per detail type; `raw` keeps what we do not know. */
export type ErrorDetail =
  | { readonly type: 'vertex'; readonly digest: Digest }
  | { readonly type: 'source'; readonly info?: SourceInfo; readonly ranges: readonly SourceRange[] }
  | {
      readonly type: 'solve';
      readonly inputIds: readonly string[];
      readonly mountIds: readonly string[];
      /** The op, as marshalled pb.Op bytes. */
      readonly op?: Uint8Array;
      readonly subject?: { readonly file: number } | { readonly cache: number };
      readonly description?: Readonly<Record<string, string>>;
    }
  | { readonly type: 'exit'; readonly exitCode: number }
  | { readonly type: 'subrequest'; readonly name: string }
  | { readonly type: 'frontend-cap'; readonly name: string }
  /** Which frontend failed; `source` is the image that gateway.v0 ran. */
  | { readonly type: 'frontend'; readonly name: string; readonly source?: string }
  | { readonly type: 'raw'; readonly typeUrl: string; readonly value: Uint8Array };

export interface BuildErrorOptions {
  readonly grpcCode?: GrpcCode;
  readonly details?: readonly ErrorDetail[];
  /** One sentence saying what to do about it. Shown to people on a line of its own. */
  readonly hint?: string;
  readonly cause?: unknown;
}

const brand: unique symbol = Symbol.for('buildkit/BuildError');

export class BuildError extends Error {
  override readonly name = 'BuildError';
  readonly [brand] = true;
  readonly code: ErrorCode;
  readonly grpcCode: GrpcCode;
  readonly details: readonly ErrorDetail[];
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: BuildErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.grpcCode = options.grpcCode ?? 'Unknown';
    this.details = options.details ?? [];
    this.hint = options.hint;
  }

  /** Works across two loaded copies of this package, which third-party plugins cause. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** For boundaries only: an unknown value becomes a BuildError, an abort becomes `canceled`. */
  static from(error: unknown): BuildError {
    if (error instanceof BuildError) return error;
    if (isAbort(error)) return canceled(error);
    if (error instanceof Error) return new BuildError('unknown', error.message, { cause: error });
    return new BuildError('unknown', String(error));
  }

  /** The same error with `prefix: ` before its message and `details` added outermost. */
  wrap(prefix: string | undefined, ...details: ErrorDetail[]): BuildError {
    return new BuildError(this.code, prefix ? `${prefix}: ${this.message}` : this.message, {
      grpcCode: this.grpcCode,
      details: [...details, ...this.details],
      ...(this.hint ? { hint: this.hint } : {}),
      cause: this,
    });
  }
}

const isAbort = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'AbortError' || (error as { code?: string }).code === 'ABORT_ERR');

/** The caller no longer wants the answer. Never logged as an error, never cached. */
export const canceled = (cause?: unknown): BuildError =>
  new BuildError('canceled', 'context canceled', { grpcCode: 'Canceled', cause });

export const isCanceled = (error: unknown): boolean =>
  isAbort(error) || (error instanceof BuildError && error.code === 'canceled');

export const invalid = (code: ErrorCode, message: string, options: BuildErrorOptions = {}): BuildError =>
  new BuildError(code, message, { grpcCode: 'InvalidArgument', ...options });

export const notFound = (code: ErrorCode, message: string, options: BuildErrorOptions = {}): BuildError =>
  new BuildError(code, message, { grpcCode: 'NotFound', ...options });

/** Known, but not supported by this version: always say what it is and, if there is one, the way round. */
export const unsupported = (code: ErrorCode, message: string, options: BuildErrorOptions = {}): BuildError =>
  new BuildError(code, message, { grpcCode: 'Unimplemented', ...options });
