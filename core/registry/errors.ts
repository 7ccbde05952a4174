import { STATUS_CODES } from 'node:http';
import { BuildError, type GrpcCode, isCanceled } from '../contracts/errors.js';
import type { Digest } from '../util/digest.js';
import { afterTries } from '../util/retry.js';

/** The network failed before an answer came: refused, unresolvable, reset, or no TLS to be had. */
export function requestFailed(method: string, url: string, error: unknown, tries = 1): BuildError {
  if (error instanceof BuildError || isCanceled(error)) return BuildError.from(error);
  const { text, hint } = describeFailure(error as NetworkError, url);
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const message = `failed to do request: ${verb} "${url}": ${text}${afterTries(tries)}`;
  return new BuildError('registry.unreachable', message, { cause: error, ...(hint ? { hint } : {}) });
}

interface NetworkError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly errors?: readonly NetworkError[];
}

function describeFailure(error: NetworkError, url: string): { text: string; hint?: string } {
  // One failure per address family comes as an AggregateError; the first one names the address people expect.
  const first = error.errors?.[0] ?? error;
  const { host, hostname } = new URL(url);
  const dialed = first.address ? `${first.address}:${first.port ?? ''}` : host;
  switch (first.code) {
    case 'ECONNREFUSED':
      return { text: `dial tcp ${dialed}: connect: connection refused` };
    case 'EHOSTUNREACH':
      return { text: `dial tcp ${dialed}: connect: no route to host` };
    case 'ENETUNREACH':
      return { text: `dial tcp ${dialed}: connect: network is unreachable` };
    case 'ENOTFOUND':
      return { text: `dial tcp: lookup ${hostname}: no such host` };
    case 'EAI_AGAIN':
      return { text: `dial tcp: lookup ${hostname}: temporary failure in name resolution` };
    case 'UND_ERR_CONNECT_TIMEOUT':
      return { text: `dial tcp ${dialed}: i/o timeout` };
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
    case 'EPIPE':
      return { text: `connection to ${host} was closed: ${first.message}` };
    case 'UND_ERR_HEADERS_TIMEOUT':
      return { text: `${host} took the request, but did not answer in time` };
    case 'UND_ERR_BODY_TIMEOUT':
      return { text: `${host} began to answer, but no more bytes came` };
  }
  if (isNotTls(first)) {
    return {
      text: 'http: server gave HTTP response to HTTPS client',
      hint: `set http = true under [registry."${host}"] if this registry really speaks plain HTTP`,
    };
  }
  if (isCertificateError(first)) {
    return {
      text: `tls: failed to verify certificate: ${first.message}`,
      hint: `name its authority with ca = [...] under [registry."${host}"]`,
    };
  }
  return { text: first.message || (first.code ?? 'unknown network failure') };
}

/** The server answered the TLS greeting with something that is not TLS. */
export const isNotTls = (error: unknown): boolean => {
  const { code, message } = error as NetworkError;
  return (
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' || (code === 'EPROTO' && /wrong version number/.test(message))
  );
};

const isCertificateError = ({ code = '' }: NetworkError): boolean =>
  /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT/.test(code);

export const isRefused = (error: unknown): boolean => {
  const { code, errors } = error as NetworkError;
  return code === 'ECONNREFUSED' || (errors?.some((each) => each.code === 'ECONNREFUSED') ?? false);
};

/** What the server answered, with the errors it listed (distribution's `{"errors":[{code,message}]}`). */
export function unexpectedStatus(
  method: string,
  { url, status, tries }: { readonly url: string; readonly status: number; readonly tries: number },
  body: string,
): BuildError {
  const said = serverMessage(body);
  const { origin, pathname } = new URL(url);
  const answer = `${status} ${STATUS_CODES[status] ?? ''}`.trimEnd() + (said ? `: ${said}` : '');
  return new BuildError(
    'registry.status',
    `unexpected status from ${method} request to ${origin}${pathname}: ${answer}${afterTries(tries)}`,
    { grpcCode: grpcCodeOf(status) },
  );
}

function grpcCodeOf(status: number): GrpcCode {
  if (status === 401) return 'Unauthenticated';
  if (status === 403) return 'PermissionDenied';
  if (status === 404) return 'NotFound';
  if (status === 429) return 'ResourceExhausted';
  return status >= 500 ? 'Unavailable' : 'Unknown';
}

function serverMessage(body: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return ''; // an HTML error page says nothing that the status does not
  }
  const errors = (parsed as { errors?: readonly { code?: string; message?: string }[] } | null)?.errors;
  if (!Array.isArray(errors)) return '';
  return errors.map(({ code, message }) => [code, message].filter(Boolean).join(': ')).join(', ');
}

export const accessDenied = (actions: 'pull' | 'push', detail: string): BuildError =>
  new BuildError(
    'registry.denied',
    actions === 'pull'
      ? `pull access denied, repository does not exist or may require authorization: ${detail}`
      : `push access denied: ${detail}`,
    { grpcCode: 'PermissionDenied', hint: 'log in to the registry (docker login), then try again' },
  );

export const manifestNotFound = (reference: string): BuildError =>
  new BuildError('registry.not-found', `${reference}: not found`, { grpcCode: 'NotFound' });

export const digestMismatchCode = 'registry.digest-mismatch';

export const digestMismatch = (what: string, expected: Digest | number, got: Digest | number): BuildError =>
  new BuildError(
    digestMismatchCode,
    `${what}: the registry sent ${describe(got)}, expected ${describe(expected)}`,
    {
      grpcCode: 'DataLoss',
      hint: 'a proxy or mirror between here and the registry may be answering with something else',
    },
  );

const describe = (value: Digest | number): string => (typeof value === 'number' ? `${value} bytes` : value);
