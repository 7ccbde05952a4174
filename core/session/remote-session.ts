/**
 * A client at the other end of a tunnel. Roles are inverted there: the client serves, the daemon asks. BuildKit:
 * session/grpc.go; wire facts E1.
 */
import type { Duplex } from 'node:stream';
import { Health } from '../../proto/services.js';
import { BuildError } from '../contracts/errors.js';
import type { Logger } from '../contracts/logger.js';
import type {
  ClientAgents,
  ClientAuth,
  ClientContent,
  ClientFolders,
  ClientPolicy,
  ClientResults,
  ClientSecrets,
  ClientUploads,
  Session,
} from '../contracts/session.js';
import type { Threads } from '../contracts/threads.js';
import type { SpanContext, Tracing } from '../contracts/tracing.js';
import type { Clock } from '../util/clock.js';
import { GrpcClient } from '../util/grpc-h2/client.js';
import { watchHealth } from './health.js';
import { RemoteAgents } from './remote-agents.js';
import { RemoteAuth, RemoteSecrets } from './remote-auth.js';
import { RemoteContent } from './remote-content.js';
import { RemoteFolders } from './remote-folders.js';
import { RemotePolicy } from './remote-policy.js';
import { RemoteResults } from './remote-results.js';
import { RemoteUploads } from './remote-uploads.js';
import { SessionCalls } from './session-calls.js';

export interface RemoteSessionOptions {
  readonly id: string;
  readonly sharedKey: string;
  /** Paths of the methods that the client serves, in any case. */
  readonly methods: readonly string[];
  readonly healthTimeout?: number | undefined;
  readonly connection: Duplex;
  readonly threads: Threads;
  readonly tracing: Tracing;
  readonly span: () => SpanContext | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

export class RemoteSession implements Session, AsyncDisposable {
  readonly id: string;
  readonly sharedKey: string;
  readonly folders: ClientFolders;
  readonly results: ClientResults;
  readonly auth: ClientAuth;
  readonly secrets: ClientSecrets;
  readonly agents: ClientAgents;
  readonly policy: ClientPolicy;
  readonly uploads: ClientUploads;
  readonly #client: GrpcClient;
  readonly #calls: SessionCalls;
  readonly #gone = new AbortController();

  constructor(options: RemoteSessionOptions) {
    this.id = options.id;
    this.sharedKey = options.sharedKey;
    this.#client = new GrpcClient(options.connection);
    const methods = new Set(options.methods.map((method) => method.toLowerCase()));
    this.#calls = new SessionCalls({
      client: this.#client,
      tracing: options.tracing,
      span: options.span,
      methods,
    });
    this.folders = new RemoteFolders(this.#calls, options.threads);
    this.results = new RemoteResults(this.#calls, options.threads);
    this.auth = new RemoteAuth(this.#calls);
    this.secrets = new RemoteSecrets(this.#calls);
    this.agents = new RemoteAgents(this.#calls);
    this.policy = new RemotePolicy(this.#calls);
    this.uploads = new RemoteUploads(this.#calls);
    void this.#client.closed.then(() => this.#drop());
    void this.#watch(options);
  }

  get dropped(): AbortSignal {
    return this.#gone.signal;
  }

  supports(method: string): boolean {
    return this.#calls.supports(method);
  }

  content(store: string): ClientContent {
    return new RemoteContent(this.#calls, store);
  }

  /** Settles once the client is gone. */
  get ended(): Promise<void> {
    return this.#client.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async #watch({ clock, logger, healthTimeout }: RemoteSessionOptions): Promise<void> {
    const check = async (signal: AbortSignal): Promise<void> => {
      await this.#client.unary(Health.Check, { service: '' }, { signal });
    };
    const onSlow = (failures: number, err: unknown): void =>
      logger.warn('session health check failed', { session: this.id, failures, err });
    const outcome = await watchHealth(
      { clock, check, customTimeout: healthTimeout, onSlow },
      this.#gone.signal,
    );
    if (outcome === 'gone') {
      logger.error('session dropped: its client does not answer', { session: this.id });
      await this[Symbol.asyncDispose]();
    }
  }

  #drop(): void {
    this.#gone.abort(
      new BuildError('session.lost', `session ${this.id} is gone: its client closed the connection`, {
        grpcCode: 'Unavailable',
      }),
    );
  }
}
