/** Attributes of the gha cache. Clients fill in what a runner says of its cache service. BuildKit: cache/remotecache/gha. */
import { invalid } from '../../../core/contracts/errors.js';
import type { CacheAttributes } from '../shared/attributes.js';

export interface GhaOptions {
  readonly url: string;
  readonly version: 1 | 2;
  readonly token: string;
  /** Tells caches of one repository apart. */
  readonly scope: string;
  /** What the token opens: branches, mostly. */
  readonly scopes: readonly TokenScope[];
  /** Milliseconds that one export or import may take. */
  readonly timeout: number;
}
export interface TokenScope {
  readonly name: string;
  readonly writable: boolean;
}

const serviceHost = 'results-receiver.actions.githubusercontent.com';

export function readGhaOptions(reader: CacheAttributes): GhaOptions {
  const token = reader.text('token');
  if (!token) throw invalid('cache.attribute', 'token not set for github actions cache');
  const asked = reader.integer('version', 1, 2);
  const second = asked === 1 ? undefined : reader.text('url_v2');
  const url = second ?? reader.text('url');
  if (!url) throw invalid('cache.attribute', 'url not set for github actions cache');
  // BuildKit lists what is there with these; here every layer is asked for by itself.
  reader.ignore('repository', 'ghtoken', 'url', 'url_v2');
  return {
    url: url.replace(/\/+$/, ''),
    version: second !== undefined || asked === 2 || (!asked && url.includes(serviceHost)) ? 2 : 1,
    token,
    scope: reader.text('scope') ?? 'buildkit',
    scopes: scopesOf(token),
    timeout: reader.duration('timeout') ?? 10 * 60_000,
  };
}

/** A runner's token is a JWT whose member `ac` lists scopes; 1 is reading, 2 is writing. */
function scopesOf(token: string): readonly TokenScope[] {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      ac: string;
    };
    const scopes = JSON.parse(claims.ac) as readonly {
      readonly Scope: string;
      readonly Permission: number;
    }[];
    return scopes.map(({ Scope, Permission }) => ({ name: Scope, writable: (Permission & 2) !== 0 }));
  } catch (cause) {
    throw invalid('cache.attribute', 'gha cache: the token says nothing of what it may be used for', {
      cause,
    });
  }
}
