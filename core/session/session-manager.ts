/** The sessions of all clients, remote and in process. BuildKit: session/manager.go; wire facts E1.1, E1.5. */
import type { Duplex } from 'node:stream';
import { BuildError, canceled, invalid } from '../contracts/errors.js';
import type { Logger } from '../contracts/logger.js';
import type { Session, SessionGroup, Sessions } from '../contracts/session.js';
import type { Threads } from '../contracts/threads.js';
import type { SpanContext, Tracing } from '../contracts/tracing.js';
import { type Clock, systemClock } from '../util/clock.js';
import { RemoteSession } from './remote-session.js';

export interface SessionManagerOptions {
  readonly logger: Logger;
  readonly tracing: Tracing;
  readonly threads: Threads;
  readonly clock?: Clock;
}

/** A client that opened a session: what it said of itself, and its bytes. */
export interface IncomingSession {
  /** All values of a request header. */
  metadata(name: string): readonly string[];
  readonly duplex: Duplex;
}

/** A client may ask for a build before its session has arrived. */
const LOOKUP_MS = 5_000;

export class SessionManager implements Sessions, AsyncDisposable {
  readonly #options: SessionManagerOptions;
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Session>();
  readonly #remote = new Set<RemoteSession>();
  /** Of the builds that they serve, the last for each. */
  readonly #traces = new Map<string, SpanContext>();
  /** Woken whenever a session arrives. */
  readonly #waiting = new Set<() => void>();

  constructor(options: SessionManagerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** How many are open. */
  get count(): number {
    return this.#sessions.size;
  }

  /** Resolves when the session has ended. A second session of the same id replaces the first for look-ups. */
  async accept({ metadata, duplex }: IncomingSession): Promise<void> {
    const id = metadata('x-docker-expose-session-uuid')[0];
    if (!id) throw invalid('session.no-id', 'the session carries no x-docker-expose-session-uuid');
    const { logger, tracing, threads } = this.#options;
    const timeout = Number(metadata('x-buildkit-session-health-custom-timeout')[0] ?? Number.NaN);
    await using session = new RemoteSession({
      id,
      sharedKey: metadata('x-docker-expose-session-sharedkey')[0] ?? '',
      methods: metadata('x-docker-expose-session-grpc-method').flatMap(splitMethods),
      healthTimeout: Number.isFinite(timeout) ? timeout : undefined,
      connection: duplex,
      threads,
      tracing,
      span: () => this.#traces.get(id),
      logger,
      clock: this.#clock,
    });
    using _attached = this.attach(session);
    this.#remote.add(session);
    logger.debug('session opened', { session: id });
    await session.ended;
    this.#remote.delete(session);
    logger.debug('session closed', { session: id });
  }

  attach(session: Session): Disposable {
    this.#sessions.set(session.id, session);
    for (const wake of [...this.#waiting]) wake();
    return {
      [Symbol.dispose]: () => {
        if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
      },
    };
  }

  async get(prefixed: string, signal: AbortSignal): Promise<Session> {
    const id = withoutPrefix(prefixed);
    const found = this.#find(id) ?? (await this.#arrival(id, signal));
    if (found) return found;
    if (signal.aborted) throw canceled(signal.reason);
    throw new BuildError('session.not-found', `no active session for ${id}: context deadline exceeded`, {
      grpcCode: 'DeadlineExceeded',
    });
  }

  trace(prefixed: string, span: SpanContext | undefined): Disposable {
    const id = withoutPrefix(prefixed);
    if (span) this.#traces.set(id, span);
    return {
      [Symbol.dispose]: () => {
        if (this.#traces.get(id) === span) this.#traces.delete(id);
      },
    };
  }

  async any<T>(group: SessionGroup, use: (session: Session) => Promise<T>, signal: AbortSignal): Promise<T> {
    const tried = new Set<string>();
    let last: unknown = new BuildError('session.none', 'no active sessions', {
      grpcCode: 'FailedPrecondition',
    });
    for (;;) {
      signal.throwIfAborted();
      const id = group.ids().find((each) => !tried.has(each));
      if (id === undefined) throw last;
      tried.add(id);
      let session: Session | undefined;
      try {
        session = await this.get(id, signal);
        return await use(session);
      } catch (error) {
        if (signal.aborted || !isElsewhere(error, session)) throw error;
        last = error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#remote].map((session) => session[Symbol.asyncDispose]()));
  }

  #find(id: string): Session | undefined {
    const session = this.#sessions.get(id);
    return session?.dropped.aborted ? undefined : session;
  }

  /** Waits for the session to arrive; undefined when it does not in time, or when nobody waits any more. */
  #arrival(id: string, signal: AbortSignal): Promise<Session | undefined> {
    return new Promise((resolve) => {
      const settle = (session: Session | undefined): void => {
        this.#waiting.delete(look);
        signal.removeEventListener('abort', giveUp);
        timer[Symbol.dispose]();
        resolve(session);
      };
      const look = (): void => {
        const session = this.#find(id);
        if (session) settle(session);
      };
      const giveUp = (): void => settle(undefined);
      const timer = this.#clock.after(LOOKUP_MS, giveUp);
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(look);
      if (signal.aborted) giveUp();
    });
  }
}

/** The prefix keeps vertices of different clients apart; it is no part of the id. */
function withoutPrefix(id: string): string {
  const colon = id.indexOf(':');
  return colon >= 0 && colon < id.length - 1 ? id.slice(colon + 1) : id;
}

/** Node joins repeated headers; method names hold no commas. */
const splitMethods = (value: string): readonly string[] => value.split(',').map((method) => method.trim());

/** Another session may do better: this one has not got it, or is gone. */
const isElsewhere = (error: unknown, session: Session | undefined): boolean =>
  session === undefined ||
  session.dropped.aborted ||
  (error instanceof BuildError && ['NotFound', 'Unavailable'].includes(error.grpcCode));
