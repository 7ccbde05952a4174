/** Credentials of a client at the other end of the tunnel. BuildKit: session/auth/auth.go; wire facts E12.1. */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
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
  /** By host. */
  readonly #keys = new Map<string, Promise<Uint8Array | undefined>>();
  readonly #proofs = new Map<string, Promise<string | undefined>>();

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
    if (!(await this.#key(request.host, signal))) return undefined;
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

  identity(host: string, signal: AbortSignal): Promise<string | undefined> {
    return remembered(this.#proofs, host, () => this.#prove(host, signal));
  }

  /** A key alone proves nothing: it must sign what nobody has signed before. */
  async #prove(host: string, signal: AbortSignal): Promise<string | undefined> {
    const key = await this.#key(host, signal);
    if (!key || !this.#calls.supports(Auth.VerifyTokenAuthority.path)) return undefined;
    const payload = randomBytes(32);
    const request = { Host: host, Salt: salt, Payload: payload };
    const { Signed: signed } = await this.#calls.unary(Auth.VerifyTokenAuthority, request, signal);
    return isSigned(key, payload, signed) ? Buffer.from(key).toString('hex') : undefined;
  }

  /** Clients that do not want to fetch tokens have none. */
  #key(host: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return remembered(this.#keys, host, async () => {
      if (!this.#calls.supports(Auth.GetTokenAuthority.path)) return undefined;
      try {
        const answer = await this.#calls.unary(Auth.GetTokenAuthority, { Host: host, Salt: salt }, signal);
        if (answer.PublicKey.length === 32) return answer.PublicKey;
        throw new BuildError('session.token-key', `invalid pubkey length ${answer.PublicKey.length}`);
      } catch (error) {
        if (isOneOf(error, 'Unimplemented', 'Unavailable')) return undefined;
        throw error;
      }
    });
  }
}

/** Failures are not remembered. */
function remembered<T>(answers: Map<string, Promise<T>>, host: string, ask: () => Promise<T>): Promise<T> {
  const known = answers.get(host);
  if (known) return known;
  const asking = ask();
  answers.set(host, asking);
  asking.catch(() => answers.delete(host));
  return asking;
}

/** NaCl's `sign`: the signature, then what was signed. */
function isSigned(key: Uint8Array, payload: Uint8Array, signed: Uint8Array): boolean {
  const [signature, message] = [signed.subarray(0, 64), signed.subarray(64)];
  if (Buffer.compare(message, payload) !== 0) return false;
  const x = Buffer.from(key).toString('base64url');
  return verify(
    undefined,
    payload,
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
    signature,
  );
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
