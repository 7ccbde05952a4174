/**
 * Errors at the edge of the process: {@link BuildError} against google.rpc.Status and against a gRPC call's code,
 * message and `grpc-status-details-bin`. The one place that maps them. Wire facts E10.
 */
import {
  BuildError,
  canceled,
  type ErrorCode,
  type ErrorDetail,
  type GrpcCode,
  grpcCodes,
} from '../core/contracts/errors.js';
import { decodeDetails, encodeDetails } from './error-details.js';
import { rpc } from './index.js';

/** The metadata key under which a google.rpc.Status travels in trailers. */
export const statusDetailsKey = 'grpc-status-details-bin';

/** A call's outcome as gRPC libraries hand it over: code, message, marshalled google.rpc.Status. */
export interface CallStatus {
  readonly code: number;
  readonly message: string;
  readonly details?: Uint8Array | undefined;
}

export function statusOf(error: unknown): rpc.Status {
  const known = BuildError.from(error);
  return { code: grpcCodes[known.grpcCode], message: known.message, details: encodeDetails(known) };
}

/** An error from its status. The status code counts, unless this project's own details say more. */
export function errorOf(status: rpc.Status): BuildError {
  const { details, code, grpcCode, hint } = decodeDetails(status.details);
  const number = status.code === grpcCodes.Unknown ? grpcCodes[grpcCode as GrpcCode] : undefined;
  return makeError(number ?? status.code, status.message, details, code, hint);
}

function makeError(
  grpc: number,
  message: string,
  details: readonly ErrorDetail[],
  code: string | undefined,
  hint: string | undefined,
): BuildError {
  const grpcCode = grpcNames.get(grpc) ?? 'Unknown';
  // BuildKit's clients put the code before the message when they hand an error on, as they do when they show one.
  const text = message.startsWith(`${grpcCode}: `) ? message.slice(grpcCode.length + 2) : message;
  if (grpcCode === 'Canceled' && details.length === 0 && text === canceled().message) return canceled();
  return new BuildError((code as ErrorCode | undefined) ?? codeFor(grpcCode), text, {
    grpcCode,
    details,
    ...(hint === undefined ? {} : { hint }),
  });
}

const grpcNames = new Map<number, GrpcCode>(
  Object.entries(grpcCodes).map(([name, number]) => [number, name as GrpcCode]),
);

/** `NotFound` → `remote.not-found`: stable for programs, and says that the other side named no code. */
function codeFor(grpcCode: GrpcCode): ErrorCode {
  if (grpcCode === 'Canceled') return 'canceled';
  if (grpcCode === 'Unknown') return 'unknown';
  return `remote.${grpcCode.replace(/(?<=[a-z])[A-Z]/g, '-$&').toLowerCase()}`;
}

/** For servers: what to put into the trailers. The details are left out when they would say nothing more. */
export function callStatusOf(error: unknown): CallStatus {
  const status = statusOf(error);
  return {
    code: status.code,
    message: status.message,
    ...(status.details.length > 0 ? { details: rpc.Status.encode(status).finish() } : {}),
  };
}

/** What went wrong with a build itself. The other codes say that something is to be done about the daemon or access. */
const codesOfBuilds: ReadonlySet<GrpcCode> = new Set([
  'InvalidArgument',
  'NotFound',
  'AlreadyExists',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Internal',
  'DataLoss',
]);

/** Of a failed build: Unknown, as with BuildKit, for its clients print any other code before the message. */
export function buildStatus(error: unknown): rpc.Status {
  const known = BuildError.from(error);
  const status = statusOf(known);
  return codesOfBuilds.has(known.grpcCode) ? { ...status, code: grpcCodes.Unknown } : status;
}

/** For servers, of a failed build. */
export function buildStatusOf(error: unknown): CallStatus {
  const known = BuildError.from(error);
  if (!codesOfBuilds.has(known.grpcCode)) return callStatusOf(known);
  const status = buildStatus(known);
  return { code: status.code, message: status.message, details: rpc.Status.encode(status).finish() };
}

/** For clients. */
export function errorOfCall(call: CallStatus): BuildError {
  if (call.details && call.details.length > 0) {
    try {
      const status = rpc.Status.decode(call.details);
      return errorOf({ code: call.code, message: status.message || call.message, details: status.details });
    } catch {
      // Unreadable details: what the trailers say themselves is still true.
    }
  }
  return makeError(call.code, call.message, [], undefined, undefined);
}

/** What @grpc/grpc-js rejects with. */
interface ServiceErrorLike {
  readonly code: number;
  readonly details: string;
  readonly metadata: { get(key: string): readonly (string | Buffer)[] };
}

/** An error from a grpc-js client; whatever is no ServiceError goes through `BuildError.from`. */
export function errorOfServiceError(error: unknown): BuildError {
  if (!isServiceError(error)) return BuildError.from(error);
  const details = error.metadata.get(statusDetailsKey)[0];
  return errorOfCall({
    code: error.code,
    message: error.details,
    ...(Buffer.isBuffer(details) ? { details } : {}),
  });
}

const isServiceError = (error: unknown): error is ServiceErrorLike =>
  error instanceof Error &&
  typeof (error as Partial<ServiceErrorLike>).code === 'number' &&
  typeof (error as Partial<ServiceErrorLike>).metadata?.get === 'function';
