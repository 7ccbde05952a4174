/**
 * Rights on one repository. Facts: wire E12, BuildKit util/resolver/authorizer.go.
 *
 * 1. What a session obtained serves requests of that session, and of sessions that prove the same identity; it is reused
 *    for 90 % of its life.
 * 2. A client that fetches tokens itself is preferred to one that hands out its password.
 * 3. A pull whose own sessions are gone (a lazy layer, fetched by a later build) asks the sessions that used the
 *    repository since. A push never does.
 * 4. Obtaining a token is shared by all that wait for it, so it runs under its own deadline, not under a caller's.
 */
import { setMaxListeners } from 'node:events';
import { LRUCache } from 'lru-cache';
import { BuildError, isCanceled } from '../contracts/errors.js';
import type { Session, SessionGroup, Sessions } from '../contracts/session.js';
import { unlessAborted } from '../util/deferred.js';
import { type Challenge, mergeScopes } from './challenge.js';
import { accessDenied } from './errors.js';
import type { Endpoint } from './hosts.js';
import { type BearerToken, basic, clientId, fetchToken } from './tokens.js';
import type { RetryOptions, Transport } from './transport.js';

export interface AuthorizerOptions {
  readonly path: string;
  readonly actions: 'pull' | 'push';
  readonly sessions: Sessions;
  readonly transport: Transport;
  readonly retry: RetryOptions;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Grant {
  readonly header: string;
  readonly expiresAt: number;
}
/** Who a request is made for, and what it needs beyond the repository's own rights. */
export interface Asker {
  readonly group: SessionGroup;
  readonly extraScopes?: readonly string[];
}

const authTimeout = 60_000;
const defaultExpiry = 60;
const rememberedSessions = 8;
const anonymous = '';

export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #challenges = new Map<string, Challenge>();
  readonly #grants = new LRUCache<string, Promise<Grant>>({ max: 100 });
  /** Newest first. */
  #known: readonly string[] = [];
  /** Whether a session is gone: asking for one that is would wait for it to appear. Nothing else of it is kept. */
  readonly #gone = new LRUCache<string, boolean>({ max: 100 });

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** A build uses this repository now. */
  note(group: SessionGroup): void {
    const ids = group.ids();
    this.#known = [...new Set([...ids, ...this.#known])].slice(0, rememberedSessions);
    for (const id of ids) if (!this.#gone.has(id)) void this.#watch(id);
  }

  async #watch(id: string): Promise<void> {
    this.#gone.set(id, false);
    const ended = (): void => void this.#gone.set(id, true);
    try {
      const { dropped } = await this.#options.sessions.get(id, AbortSignal.timeout(authTimeout));
      // Each repository that a build uses listens.
      setMaxListeners(0, dropped);
      if (dropped.aborted) ended();
      else dropped.addEventListener('abort', ended, { once: true });
    } catch {
      ended();
    }
  }

  /** The header for a request; undefined as long as the registry never asked for one. */
  async header(endpoint: Endpoint, asker: Asker, signal: AbortSignal): Promise<string | undefined> {
    const challenge = this.#challenges.get(endpoint.host);
    if (!challenge) return undefined;
    return (await this.#grant(endpoint, challenge, asker, signal)).header;
  }

  /** The header that answers a 401; `refused` is what the request carried. */
  async answer(
    endpoint: Endpoint,
    challenges: readonly Challenge[],
    refused: string | undefined,
    asker: Asker,
    signal: AbortSignal,
  ): Promise<string> {
    const challenge =
      challenges.find(({ scheme }) => scheme === 'bearer') ??
      challenges.find(({ scheme }) => scheme === 'basic');
    if (!challenge) {
      const offered = challenges.map(({ scheme }) => scheme).join(', ') || 'none';
      throw accessDenied(this.#options.actions, `no supported authentication scheme (offered: ${offered})`);
    }
    this.#challenges.set(endpoint.host, challenge);
    if (refused !== undefined) await this.#forget(refused);
    const { header } = await this.#grant(endpoint, challenge, asker, signal);
    if (header === refused) throw accessDenied(this.#options.actions, serverMessage(challenge));
    return header;
  }

  async #forget(header: string): Promise<void> {
    for (const [key, grant] of this.#grants) {
      const known = await grant.catch(() => undefined);
      if (known?.header === header) this.#grants.delete(key);
    }
  }

  async #grant(endpoint: Endpoint, challenge: Challenge, asker: Asker, signal: AbortSignal): Promise<Grant> {
    const scopes = mergeScopes(
      `repository:${this.#options.path}:${this.#options.actions === 'pull' ? 'pull' : 'pull,push'}`,
      ...(challenge.params.scope ? [challenge.params.scope] : []),
      ...(asker.extraScopes ?? []),
    );
    const ids = asker.group.ids();
    const keys = (ids.length > 0 ? ids : [anonymous]).map((id) => [endpoint.host, id, ...scopes].join(' '));
    for (const key of keys) {
      const grant = this.#grants.get(key);
      if (!grant) continue;
      const { expiresAt } = await unlessAborted(grant, signal);
      if (expiresAt > this.#options.now()) return unlessAborted(grant, signal);
      if (this.#grants.get(key) === grant) this.#grants.delete(key);
    }
    const obtaining = this.#obtain(endpoint, challenge, scopes, ids);
    for (const key of keys) {
      this.#grants.set(key, obtaining);
      obtaining.catch(() => this.#grants.get(key) === obtaining && this.#grants.delete(key));
    }
    return unlessAborted(obtaining, signal);
  }

  async #obtain(
    endpoint: Endpoint,
    challenge: Challenge,
    scopes: readonly string[],
    ids: readonly string[],
  ): Promise<Grant> {
    const signal = AbortSignal.timeout(authTimeout);
    const order = {
      realm: challenge.params.realm ?? '',
      service: challenge.params.service ?? '',
      scopes,
    };
    const asked = await this.#ask(endpoint, challenge, order, ids, signal);
    if (asked && 'header' in asked) return asked;
    const { username, secret } = asked ?? { username: '', secret: '' };
    if (challenge.scheme === 'basic') {
      if (username === '' || secret === '') {
        throw accessDenied(this.#options.actions, 'the registry wants a user name and a password');
      }
      return { header: basic(username, secret), expiresAt: Number.POSITIVE_INFINITY };
    }
    const { transport, retry } = this.#options;
    const token = await fetchToken(transport, endpoint, { ...order, username, secret }, retry, signal);
    return bearerGrant(token, this.#options.now());
  }

  /** The client's own token, or one that another session of the same identity obtained. */
  async #token(
    { auth }: Session,
    host: string,
    order: { readonly realm: string; readonly service: string; readonly scopes: readonly string[] },
    signal: AbortSignal,
  ): Promise<Grant | undefined> {
    const identity = await auth.identity(host, signal);
    const key = [host, `key:${identity}`, ...order.scopes].join(' ');
    const known = identity === undefined ? undefined : await this.#grants.get(key)?.catch(() => undefined);
    if (known && known.expiresAt > this.#options.now()) return known;
    const token = await auth.fetchToken({ clientId, host, ...order }, signal);
    if (!token) return undefined;
    const grant = bearerGrant(token, this.#options.now());
    if (identity !== undefined) this.#grants.set(key, Promise.resolve(grant));
    return grant;
  }

  /** A token or credentials from the sessions; undefined when no session is there to ask. */
  async #ask(
    endpoint: Endpoint,
    challenge: Challenge,
    order: { readonly realm: string; readonly service: string; readonly scopes: readonly string[] },
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<Grant | { readonly username: string; readonly secret: string } | undefined> {
    const { host } = endpoint;
    const others = this.#options.actions === 'pull' ? this.#known : [];
    const all = [...new Set([...ids, ...others])].filter((id) => !this.#gone.get(id));
    if (all.length === 0) return undefined;
    const use = async (session: Session): Promise<Grant | { username: string; secret: string }> => {
      const grant =
        challenge.scheme === 'bearer' ? await this.#token(session, host, order, signal) : undefined;
      return grant ?? session.auth.credentials(host, signal);
    };
    try {
      return await this.#options.sessions.any({ ids: () => all }, use, signal);
    } catch (error) {
      if (isCanceled(error) || !isNobodyThere(error)) throw error;
      return undefined;
    }
  }
}

function bearerGrant({ token, expiresIn, issuedAt }: BearerToken, now: number): Grant {
  const life = (expiresIn || defaultExpiry) * 1000 * 0.9;
  const issued = issuedAt === 0 ? now : issuedAt * 1000;
  // Where the service's clock is behind ours a fresh token would look expired: count from now instead.
  return { header: `Bearer ${token}`, expiresAt: issued + life > now ? issued + life : now + life };
}

/** No session, or none that serves credentials: the registry may still let strangers in. */
const isNobodyThere = (error: unknown): boolean =>
  error instanceof BuildError &&
  (['session.none', 'session.not-found'].includes(error.code) ||
    ['NotFound', 'Unavailable', 'Unimplemented'].includes(error.grpcCode));

export const serverMessage = ({ params }: Challenge): string =>
  params.error ? `server message: ${params.error}: authorization failed` : 'authorization failed';
