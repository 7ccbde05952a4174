/** What a client tells about its registry credentials: as little as the daemon needs. Wire facts E12. */
import { BuildError } from '../../core/contracts/errors.js';
import type { AuthToken, ClientAuth, TokenRequest } from '../../core/contracts/session.js';
import { parseGoBool } from '../../core/util/go-bool.js';
import { dockerConfigDir, loadCredentials, type RegistryCredentials } from './docker-config.js';
import { TokenKey, tokenSeed } from './token-authority.js';

export interface RegistryAuthOptions {
  /** Default: `$DOCKER_CONFIG` or `~/.docker`. */
  readonly configDir?: string;
  /** Shown to people once for each use of credentials: `[auth] sharing credentials for …`. */
  readonly announce?: (text: string) => void;
  readonly env?: NodeJS.ProcessEnv;
  readonly now?: () => number;
}

const noSalt = new Uint8Array();

/** Some clouds' tokens live for five minutes. */
const KEEP_MS = (4 * 60 + 50) * 1000;

export class RegistryAuth implements ClientAuth {
  readonly #dir: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #now: () => number;
  readonly #announce: (text: string) => void;
  readonly #announced = new Set<string>();
  readonly #cache = new Map<string, { readonly at: number; readonly value: Promise<RegistryCredentials> }>();

  constructor(options: RegistryAuthOptions = {}) {
    this.#env = options.env ?? process.env;
    this.#dir = options.configDir ?? dockerConfigDir(this.#env);
    this.#now = options.now ?? Date.now;
    this.#announce = options.announce ?? (() => {});
  }

  async credentials(
    host: string,
    signal: AbortSignal,
  ): Promise<{ readonly username: string; readonly secret: string }> {
    const { username, secret } = await this.#load(host, signal);
    if (secret !== '') this.#tell(`[auth] sharing credentials for ${host}`);
    return { username, secret };
  }

  async fetchToken(request: TokenRequest, signal: AbortSignal): Promise<AuthToken | undefined> {
    if (this.tokensDisabled) return undefined;
    const credentials = await this.#load(request.host, signal);
    if (credentials.secret !== '') {
      const scopes = request.scopes.map((scope) => scope.replace(/^repository:/, '')).join(' ');
      this.#tell(`[auth] ${scopes} token for ${request.host}`);
    }
    // Few builds need it, and the HTTP library behind it takes a while to read.
    const { fetchToken } = await import('./token-fetch.js');
    return fetchToken(request, credentials, signal);
  }

  /** For a daemon in this process. */
  async identity(host: string, signal: AbortSignal): Promise<string | undefined> {
    if (this.tokensDisabled) return undefined;
    const { publicKey } = await this.tokenKey(host, noSalt, signal);
    return Buffer.from(publicKey).toString('hex');
  }

  /** The key that stands for this user at `host`. */
  async tokenKey(host: string, salt: Uint8Array, signal: AbortSignal): Promise<TokenKey> {
    if (this.tokensDisabled) {
      throw new BuildError('client.no-tokens', 'client side tokens disabled', { grpcCode: 'Unavailable' });
    }
    const { secret } = await this.#load(host, signal);
    const seed = await tokenSeed(this.#dir, host);
    return new TokenKey(secret === '' ? new Uint8Array() : seed, salt);
  }

  get tokensDisabled(): boolean {
    return parseGoBool(this.#env.BUILDKIT_NO_CLIENT_TOKEN ?? '') ?? false;
  }

  #load(host: string, signal: AbortSignal): Promise<RegistryCredentials> {
    const known = this.#cache.get(host);
    if (known && this.#now() - known.at < KEEP_MS) return known.value;
    const value = loadCredentials(this.#dir, host, signal);
    this.#cache.set(host, { at: this.#now(), value });
    // A failure (a helper that asked the user, say) is tried again next time.
    value.catch(() => this.#cache.delete(host));
    return value;
  }

  #tell(text: string): void {
    if (this.#announced.has(text)) return;
    this.#announced.add(text);
    this.#announce(text);
  }
}
