/** A client's session and the daemon that accepts it, joined in memory: the real protocol without a socket. */
import { Duplex } from 'node:stream';
import type { ClientOffer } from '../../client/session/client-services.js';
import { type ConnectedSession, connectSession } from '../../client/session/connect-session.js';
import { type Logger, silentLogger } from '../../core/contracts/logger.js';
import type { Session } from '../../core/contracts/session.js';
import { silentTracing, type Tracing } from '../../core/contracts/tracing.js';
import { acceptSession } from '../../core/session/grpc-stream.js';
import { SessionManager } from '../../core/session/session-manager.js';
import type { Clock } from '../../core/util/clock.js';

export interface TunnelOptions {
  readonly offer: ClientOffer;
  readonly logger?: Logger;
  readonly tracing?: Tracing;
  readonly clock?: Clock;
}

export interface Tunnel extends AsyncDisposable {
  readonly sessions: SessionManager;
  /** The daemon's view of the client. */
  readonly session: Session;
  readonly client: ConnectedSession;
  /** Header pairs that the client sent with Control/Session. */
  readonly metadata: ReadonlyMap<string, readonly string[]>;
  /** Settles when the daemon's handler is done. */
  readonly accepted: Promise<void>;
  /** Bytes from the client to the daemon are withheld from now on. */
  stall(): void;
}

export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  const { offer, logger = silentLogger, tracing = silentTracing, clock } = options;
  const sessions = new SessionManager({
    logger,
    tracing,
    threads: offer.threads,
    ...(clock ? { clock } : {}),
  });
  const [clientEnd, daemonEnd] = chunkPair();
  const metadata = new Map<string, readonly string[]>();
  const gone = new AbortController();
  const connection = {
    bidi: (_method: unknown, sent: { getMap(): object; get(key: string): unknown[] }) => {
      for (const key of Object.keys(sent.getMap())) metadata.set(key, sent.get(key).map(String));
      return clientEnd;
    },
  };
  const client = connectSession(connection as never, offer, 'session1');
  const accepted = acceptSession(sessions, daemonEnd, {
    signal: gone.signal,
    metadata: (name) => metadata.get(name) ?? [],
  });
  const session = await sessions.get('session1', new AbortController().signal);
  return {
    sessions,
    session,
    client,
    metadata,
    accepted,
    stall: () => clientEnd.stall(),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await accepted;
    },
  };
}

/** Both ends of a bidi call: what is written at one is read at the other. */
export function chunkPair(): readonly [ChunkEnd, ChunkEnd] {
  const a: ChunkEnd = new ChunkEnd(() => b);
  const b: ChunkEnd = new ChunkEnd(() => a);
  return [a, b];
}

export class ChunkEnd extends Duplex {
  readonly #peer: () => ChunkEnd;
  #flowing: (() => void) | undefined;
  #stalled = false;

  constructor(peer: () => ChunkEnd) {
    super({ objectMode: true, allowHalfOpen: true });
    this.#peer = peer;
  }

  stall(): void {
    this.#stalled = true;
  }

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    if (this.#stalled) return;
    const peer = this.#peer();
    if (peer.push(chunk)) done();
    else peer.#flowing = done;
  }

  override _read(): void {
    const flowing = this.#flowing;
    this.#flowing = undefined;
    flowing?.();
  }

  override _final(done: () => void): void {
    this.#peer().push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const peer = this.#peer();
    setImmediate(() => peer.destroy());
    done(error);
  }
}
