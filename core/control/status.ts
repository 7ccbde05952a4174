/** The daemon's side of errors: what a handler throws, as grpc-js wants it. The mapping itself is proto/status.ts. */
import { Metadata, type ServerErrorResponse } from '@grpc/grpc-js';
import { callStatusOf, statusDetailsKey } from '../../proto/status.js';

export function serviceErrorOf(error: unknown): ServerErrorResponse {
  const status = callStatusOf(error);
  const metadata = new Metadata();
  if (status.details) metadata.set(statusDetailsKey, Buffer.from(status.details));
  return {
    name: 'ServiceError',
    message: status.message,
    code: status.code,
    details: status.message,
    metadata,
  };
}
