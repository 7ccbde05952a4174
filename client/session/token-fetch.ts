/**
 * Bearer tokens from a registry's token server. BuildKit: session/auth/authprovider; containerd: docker/auth/fetch.go.
 * Wire facts E12.1.
 */
import { request } from 'undici';
import { BuildError, isCanceled } from '../../core/contracts/errors.js';
import type { AuthToken, TokenRequest } from '../../core/contracts/session.js';
import { collect } from '../../core/util/chunks.js';
import { afterTries, persist, retryAfter, usualDelays } from '../../core/util/retry.js';
import type { RegistryCredentials } from './docker-config.js';

/** Seconds, where the server does not say. */
const DEFAULT_EXPIRY = 60;
const CLIENT_ID = 'buildkit-client';
const MAX_ANSWER = 1 << 20;
/** Milliseconds without a byte. */
const IDLE = 15_000;

export async function fetchToken(
  wanted: TokenRequest,
  credentials: RegistryCredentials,
  signal: AbortSignal,
  delays: readonly number[] = usualDelays,
): Promise<AuthToken> {
  if (credentials.registryToken) {
    return { token: credentials.registryToken, expiresIn: DEFAULT_EXPIRY, issuedAt: 0 };
  }
  if (credentials.secret === '')
    return get(wanted, credentials, 'failed to fetch anonymous token', delays, signal);
  const answer = await post(wanted, credentials, delays, signal);
  if (answer.ok) return answer.token;
  // Servers without the POST endpoint say so in different ways.
  const hasGet =
    answer.status === 404 || answer.status === 401 || (answer.status === 405 && credentials.username !== '');
  if (hasGet) return get(wanted, credentials, 'failed to fetch oauth token', delays, signal);
  throw tokenError('failed to fetch oauth token', wanted, answer);
}

type Answer =
  | { readonly ok: true; readonly token: AuthToken }
  | { readonly ok: false; readonly status: number; readonly body: string; readonly tries: number };

function post(
  wanted: TokenRequest,
  credentials: RegistryCredentials,
  delays: readonly number[],
  signal: AbortSignal,
): Promise<Answer> {
  const form = new URLSearchParams({ client_id: CLIENT_ID });
  if (credentials.username === '') {
    form.set('grant_type', 'refresh_token');
    form.set('refresh_token', credentials.secret);
  } else {
    form.set('grant_type', 'password');
    form.set('username', credentials.username);
    form.set('password', credentials.secret);
  }
  if (wanted.scopes.length > 0) form.set('scope', wanted.scopes.join(' '));
  form.set('service', wanted.service);
  return ask(wanted.realm, delays, signal, {
    method: 'POST',
    body: form.toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  });
}

async function get(
  wanted: TokenRequest,
  { username, secret }: RegistryCredentials,
  failure: string,
  delays: readonly number[],
  signal: AbortSignal,
): Promise<AuthToken> {
  const url = new URL(wanted.realm);
  if (wanted.service !== '') url.searchParams.append('service', wanted.service);
  for (const scope of wanted.scopes) url.searchParams.append('scope', scope);
  const basic = Buffer.from(`${username}:${secret}`).toString('base64');
  const headers: Record<string, string> = secret === '' ? {} : { authorization: `Basic ${basic}` };
  const answer = await ask(url.href, delays, signal, { method: 'GET', headers });
  if (answer.ok) return answer.token;
  throw tokenError(failure, wanted, answer);
}

const tokenError = (
  failure: string,
  wanted: TokenRequest,
  answer: { readonly status: number; readonly body: string; readonly tries: number },
): BuildError =>
  new BuildError(
    'client.token',
    `${failure}: unexpected status from ${wanted.realm}: ${answer.status} ${answer.body}`.trim() +
      afterTries(answer.tries),
    {
      grpcCode:
        answer.status === 401 ? 'Unauthenticated' : answer.status === 403 ? 'PermissionDenied' : 'Unknown',
    },
  );

async function ask(
  url: string,
  delays: readonly number[],
  signal: AbortSignal,
  options: {
    readonly method: 'GET' | 'POST';
    readonly headers: Record<string, string>;
    readonly body?: string;
  },
): Promise<Answer> {
  const once = async () => {
    const limits = { headersTimeout: IDLE, bodyTimeout: IDLE };
    const { statusCode: status, headers, body } = await request(url, { ...options, ...limits, signal });
    return { status, retryAfter: retryAfter(headers['retry-after']), text: await readText(body) };
  };
  const { status, text, tries } = await persist(once, signal, delays).catch((error: Error) => {
    if (error instanceof BuildError || isCanceled(error)) throw error;
    throw new BuildError('client.token', `failed to fetch a token from ${url}: ${error.message}`, {
      cause: error,
    });
  });
  if (status < 200 || status >= 400) return { ok: false, status, body: text.slice(0, 500), tries };
  return { ok: true, token: parseToken(url, text) };
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const data = await collect(body, MAX_ANSWER);
  if (!data) throw new BuildError('client.token', 'the token server answers more than 1 MiB');
  return data.toString('utf8');
}

interface TokenAnswer {
  readonly token?: string;
  readonly access_token?: string;
  readonly expires_in?: number;
  readonly issued_at?: string;
}

function parseToken(url: string, text: string): AuthToken {
  let answer: TokenAnswer;
  try {
    answer = JSON.parse(text) as TokenAnswer;
  } catch (error) {
    throw new BuildError('client.token', `${url}: unable to decode token response`, { cause: error });
  }
  const token = answer.token || answer.access_token;
  if (!token) throw new BuildError('client.token', `${url}: authorization server did not include a token`);
  const issued = Date.parse(answer.issued_at ?? '');
  return {
    token,
    expiresIn: answer.expires_in || DEFAULT_EXPIRY,
    issuedAt: Number.isNaN(issued) ? 0 : Math.floor(issued / 1000),
  };
}
