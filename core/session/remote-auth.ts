/** Credentials of a client at the other end of the tunnel. BuildKit: session/auth/auth.go; wire facts E12.1. */
import { randomBytes } from 'node:crypto';
import { Auth, Secrets } from '../../proto/services.js';
import { BuildError } from '../contracts/errors.js';
import type { AuthToken, ClientAuth, ClientSecrets, TokenRequest } from '../contracts/session.js';
import type { SessionCalls } from './session-calls.js';

/** One per daemon start: clients of one identity answer with the same key. */
const salt = randomBytes(32);

const isOneOf = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof BuildError && codes.includes(error.grpcCode);

export class RemoteAuth implements ClientAuth {
  readonly #calls: SessionCalls;

  constructor(calls: SessionCalls) {
    this.#calls = calls;
  }

  async credentials(
    host: string,
    signal: AbortSignal,
  ): Promise<{ readonly username: string; readonly secret: string }> {
    try {
      const answer = await this.#calls.unary(Auth.Credentials, { Host: host }, signal);
      return { username: answer.Username, secret: answer.Secret };
    } catch (error) {
      if (isOneOf(error, 'Unimplemented')) return { username: '', secret: '' };
      throw error;
    }
  }

  async fetchToken(request: TokenRequest, signal: AbortSignal): Promise<AuthToken | undefined> {
    if (!(await this.#isAuthority(request.host, signal))) return undefined;
    const answer = await this.#calls.unary(
      Auth.FetchToken,
      {
        ClientID: request.clientId,
        Host: request.host,
        Realm: request.realm,
        Service: request.service,
        Scopes: request.scopes,
      },
      signal,
    );
    return { token: answer.Token, expiresIn: answer.ExpiresIn, issuedAt: answer.IssuedAt };
  }

  /** Clients that do not want to fetch tokens say so here. */
  async #isAuthority(host: string, signal: AbortSignal): Promise<boolean> {
    if (!this.#calls.supports(Auth.GetTokenAuthority.path)) return false;
    try {
      const answer = await this.#calls.unary(Auth.GetTokenAuthority, { Host: host, Salt: salt }, signal);
      if (answer.PublicKey.length === 32) return true;
      throw new BuildError('session.token-key', `invalid pubkey length ${answer.PublicKey.length}`);
    } catch (error) {
      if (isOneOf(error, 'Unimplemented', 'Unavailable')) return false;
      throw error;
    }
  }
}

export class RemoteSecrets implements ClientSecrets {
  readonly #calls: SessionCalls;

  constructor(calls: SessionCalls) {
    this.#calls = calls;
  }

  async get(id: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return (await this.#calls.unary(Secrets.GetSecret, { ID: id }, signal)).data;
    } catch (error) {
      if (isOneOf(error, 'NotFound', 'Unimplemented')) return undefined;
      throw error;
    }
  }
}
