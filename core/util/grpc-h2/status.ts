/** A gRPC call's outcome, and how it stands in trailers. */

export const grpcStatus = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** Thrown where a call failed. `details` is a marshalled google.rpc.Status, which this layer does not read. */
export class GrpcStatusError extends Error {
  override readonly name = 'GrpcStatusError';
  readonly code: number;
  readonly details: Uint8Array | undefined;

  constructor(code: number, message: string, details?: Uint8Array) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** Percent-encodes what may not stand in a header: everything but printable ASCII, and `%`. */
export const encodeGrpcMessage = (message: string): string =>
  message.replace(/[^ -$&-~]+/gu, (text) =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );

export function decodeGrpcMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const encodeBinaryHeader = (value: Uint8Array): string => Buffer.from(value).toString('base64');
export const decodeBinaryHeader = (value: string): Buffer => Buffer.from(value, 'base64');
