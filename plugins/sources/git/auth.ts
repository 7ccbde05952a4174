/** Credentials for git over HTTP, from the client's secrets. BuildKit: source/git/source.go getAuthToken. */
import { invalid } from '../../../core/contracts/errors.js';
import type { SessionGroup, Sessions } from '../../../core/contracts/session.js';
import { findSecret } from '../shared/secrets.js';
import type { GitRequest } from './attributes.js';

/** Settings that make git send them; none when the client has none. */
export async function authSettings(
  request: GitRequest,
  sessions: Sessions,
  group: SessionGroup,
  signal: AbortSignal,
): Promise<readonly (readonly [string, string])[]> {
  const { remote, authHeaderSecret: header, authTokenSecret: token } = request;
  // A secret for one host goes before those for all.
  const tokens = token === '' ? [] : [`${token}.${remote.host}`, token];
  const headers = header === '' ? [] : [`${header}.${remote.host}`, header];
  const names = [headers[0], tokens[0], headers[1], tokens[1]].filter((name) => name !== undefined);
  const found = remote.ssh ? undefined : await findSecret(sessions, group, names, signal);
  if (!found) return [];
  // Files mostly end with a line break that nobody means.
  const secret = found.value.replace(/\r?\n$/, '');
  const value = tokens.includes(found.name) ? basicOf(secret) : secret;
  if (/[\r\n\0]/.test(value)) {
    throw invalid('git.secret', `the secret ${found.name} is no header: it holds a line break`);
  }
  return [[`http.${scopeOf(remote.url)}.extraheader`, `Authorization: ${value}`]];
}

const basicOf = (token: string): string =>
  `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;

/** One remote only; on GitHub all of them, so that submodules can be fetched. */
function scopeOf(url: string): string {
  const github = ['https://github.com/', 'https://www.github.com/'];
  return github.find((prefix) => url.startsWith(prefix)) ?? url;
}
