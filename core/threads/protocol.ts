/** What the pool and its threads say to each other. */
import type { MessagePort } from 'node:worker_threads';
import type { ErrorDetail } from '../contracts/errors.js';
import { BuildError, type BuildErrorOptions, type ErrorCode, type GrpcCode } from '../contracts/errors.js';

export interface ThreadData {
  /** One word, non-zero while the running task is no longer wanted. Reset by the pool between tasks. */
  readonly abort: Int32Array;
}

export interface TaskMessage {
  /** Href of the task's module as the caller gave it. */
  readonly task: string;
  readonly args: unknown;
}

export interface AnswerMessage {
  readonly answer: { readonly value: unknown } | { readonly error: ErrorRecord };
}

export type ThreadMessage =
  | { readonly type: 'report'; readonly value: unknown }
  | { readonly type: 'ask'; readonly question: unknown }
  | { readonly type: 'done'; readonly value: unknown }
  | { readonly type: 'failed'; readonly error: ErrorRecord };

export type Transferable = ArrayBuffer | MessagePort;

/** Structured clone keeps an error's message and drops what programs look at; this keeps both. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: ErrorRecord | undefined;
  readonly build?: {
    readonly code: ErrorCode;
    readonly grpcCode: GrpcCode;
    readonly details: readonly ErrorDetail[];
    readonly hint: string | undefined;
  };
  /** Node's system error fields. */
  readonly fields: Readonly<Record<string, string | number>>;
}

const systemFields = ['code', 'errno', 'syscall', 'path', 'dest'] as const;

export function recordError(thrown: unknown): ErrorRecord {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const fields: Record<string, string | number> = {};
  for (const field of systemFields) {
    const value = (error as NodeJS.ErrnoException & { dest?: string })[field];
    if (value !== undefined) fields[field] = value;
  }
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    cause: error.cause === undefined ? undefined : recordError(error.cause),
    fields,
    ...(error instanceof BuildError
      ? { build: { code: error.code, grpcCode: error.grpcCode, details: error.details, hint: error.hint } }
      : {}),
  };
}

/** The error again, with the thread's own stack. */
export function reviveError(record: ErrorRecord): Error {
  const cause = record.cause === undefined ? {} : { cause: reviveError(record.cause) };
  const error = record.build ? reviveBuildError(record, cause) : new Error(record.message, cause);
  if (record.stack !== undefined) error.stack = record.stack;
  if (record.build) return error;
  return Object.assign(error, record.fields, { name: record.name });
}

function reviveBuildError(record: ErrorRecord, cause: Pick<BuildErrorOptions, 'cause'>): BuildError {
  const { code, grpcCode, details, hint } = record.build!;
  return new BuildError(code, record.message, {
    grpcCode,
    details,
    ...(hint === undefined ? {} : { hint }),
    ...cause,
  });
}
