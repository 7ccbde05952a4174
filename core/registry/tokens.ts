/** Bearer tokens from a registry's token service. Facts: distribution's token spec, containerd remotes/docker/auth. */
import { BuildError } from '../contracts/errors.js';
import { collect } from '../util/chunks.js';
import { unexpectedStatus } from './errors.js';
import type { Endpoint } from './hosts.js';
import { errorText, type HttpResponse, type RetryOptions, type Transport } from './transport.js';

export const clientId = 'buildkit-client';

export interface TokenOrder {
  readonly realm: string;
  readonly service: string;
  readonly scopes: readonly string[];
  readonly username: string;
  readonly secret: string;
}
export interface BearerToken {
  readonly token: string;
  /** Seconds; 0 when the service does not say. */
  readonly expiresIn: number;
  /** Seconds since the epoch; 0 when the service does not say. */
  readonly issuedAt: number;
}

/**
 * GET with the password, or anonymously; POST (OAuth) for an identity token, and where a service refuses GET:
 * some answer 401 or 404, others 405.
 */
export async function fetchToken(
  transport: Transport,
  endpoint: Endpoint,
  order: TokenOrder,
  retry: RetryOptions,
  signal: AbortSignal,
): Promise<BearerToken> {
  const identityToken = order.username === '' && order.secret !== '';
  if (identityToken) return readToken(await post(transport, endpoint, order, retry, signal), 'POST');
  const response = await get(transport, endpoint, order, retry, signal);
  if (order.secret !== '' && [401, 404, 405].includes(response.status)) {
    await errorText(response);
    return readToken(await post(transport, endpoint, order, retry, signal), 'POST');
  }
  return readToken(response, 'GET');
}

function get(
  transport: Transport,
  endpoint: Endpoint,
  { realm, service, scopes, username, secret }: TokenOrder,
  retry: RetryOptions,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const url = new URL(realm);
  if (service) url.searchParams.append('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const headers: Record<string, string> = secret === '' ? {} : { authorization: basic(username, secret) };
  return transport.send(endpoint, { method: 'GET', url: url.href, headers, signal }, retry);
}

function post(
  transport: Transport,
  endpoint: Endpoint,
  { realm, service, scopes, username, secret }: TokenOrder,
  retry: RetryOptions,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const grant: Record<string, string> =
    username === ''
      ? { grant_type: 'refresh_token', refresh_token: secret }
      : { grant_type: 'password', username, password: secret };
  const form = new URLSearchParams({ service, client_id: clientId, ...grant });
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const body = (): string => form.toString();
  return transport.send(endpoint, { method: 'POST', url: realm, headers, body, signal }, retry);
}

async function readToken(response: HttpResponse, method: string): Promise<BearerToken> {
  if (response.status >= 300) {
    throw unexpectedStatus(method, response, await errorText(response)).wrap(
      'failed to authorize: failed to fetch token',
    );
  }
  const answer = parse(await collect(response.body, 1024 * 1024));
  const token = answer.access_token ?? answer.token;
  if (!token) {
    throw new BuildError(
      'registry.no-token',
      `the token service at ${response.url} answered without a token`,
      {
        grpcCode: 'Unauthenticated',
      },
    );
  }
  const issued = Date.parse(answer.issued_at ?? '');
  return {
    token,
    expiresIn: answer.expires_in ?? 0,
    issuedAt: Number.isNaN(issued) ? 0 : Math.floor(issued / 1000),
  };
}

interface TokenAnswer {
  readonly token?: string;
  readonly access_token?: string;
  readonly expires_in?: number;
  readonly issued_at?: string;
}

function parse(body: Buffer | undefined): TokenAnswer {
  try {
    const answer: unknown = JSON.parse(body?.toString() ?? '');
    return typeof answer === 'object' && answer !== null ? answer : {};
  } catch {
    return {}; // answered below as a missing token, with the service's address
  }
}

export const basic = (username: string, secret: string): string =>
  `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`;
