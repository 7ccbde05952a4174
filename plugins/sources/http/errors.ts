import { STATUS_CODES } from 'node:http';
import { BuildError, type GrpcCode } from '../../../core/contracts/errors.js';
import type { Digest } from '../../../core/util/digest.js';
import { redactCredentials } from '../../../core/util/redact.js';
import type { HttpCall } from './http-client.js';

/** Without user and password, and without a query, which often is a signature. */
export const shownUrl = (url: string): string => redactCredentials(url).replace(/\?[^#]*/, '?…');

/** No answer, or not all of it. */
export function requestFailed({ method, url }: HttpCall, cause: unknown): BuildError {
  const error = cause as NodeJS.ErrnoException & { readonly errors?: readonly Error[] };
  // One failure per address comes as an AggregateError.
  const why = error.errors?.[0]?.message ?? (error.message || error.code) ?? 'unknown failure';
  return new BuildError('http.unreachable', `${method} ${shownUrl(url)}: ${why}`, {
    cause,
  });
}

export function badStatus(url: string, status: number): BuildError {
  const text = [status, STATUS_CODES[status]].filter(Boolean).join(' ');
  const denied = status === 401 || status === 403;
  return new BuildError('http.status', `invalid response status ${text}: GET ${shownUrl(url)}`, {
    grpcCode: grpcCodeOf(status),
    ...(denied
      ? { hint: `A secret HTTP_AUTH_TOKEN_${new URL(url).hostname} holds a token for this host.` }
      : {}),
  });
}

function grpcCodeOf(status: number): GrpcCode {
  if (status === 401) return 'Unauthenticated';
  if (status === 403) return 'PermissionDenied';
  if (status === 404 || status === 410) return 'NotFound';
  // Not `Unavailable`: to clients that would be the daemon.
  return 'Unknown';
}

export const digestMismatch = (url: string, got: Digest, expected: Digest): BuildError =>
  new BuildError(
    'http.digest-mismatch',
    `digest mismatch for ${shownUrl(url)}: ${got} (expected: ${expected})`,
    {
      grpcCode: 'DataLoss',
    },
  );
