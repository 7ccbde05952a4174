import { invalid, notFound } from '../../../core/contracts/errors.js';
import type { SessionGroup, Sessions } from '../../../core/contracts/session.js';
import { findSecret } from '../shared/secrets.js';
import type { HttpRequest } from './attributes.js';

/** What a request carries: who asks, what the op adds, and credentials. BuildKit: source/http/source.go. */
export async function requestHeaders(
  { url, headers, authHeaderSecret }: HttpRequest,
  sessions: Sessions,
  group: SessionGroup,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const authorization = await findAuthorization(url, authHeaderSecret, sessions, group, signal);
  return {
    'user-agent': 'buildkit-ts',
    ...Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value])),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

async function findAuthorization(
  url: string,
  named: string,
  sessions: Sessions,
  group: SessionGroup,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { hostname } = new URL(url);
  const token = `HTTP_AUTH_TOKEN_${hostname}`;
  const names = named === '' ? [token, `HTTP_AUTH_HEADER_${hostname}`] : [named];
  const found = await findSecret(sessions, group, names, signal);
  if (!found) {
    if (named === '') return undefined;
    throw notFound('http.secret', `failed to retrieve HTTP auth secret ${named}: not found`);
  }
  // Files mostly end with a line break that nobody means.
  const value = found.value.replace(/\r?\n$/, '');
  if (/[\r\n\0]/.test(value)) {
    throw invalid('http.secret', `the secret ${found.name} is no header: it holds a line break`);
  }
  return named === '' && found.name === token ? `Bearer ${value}` : value;
}
