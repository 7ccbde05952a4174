/** Connects to a daemon over gRPC. */
import type { Threads } from '../../core/contracts/index.js';
import { ThreadPool } from '../../core/threads/thread-pool.js';
import { DisposeStack } from '../../core/util/dispose.js';
import type { Daemon } from '../daemon.js';
import { connectSession } from '../session/connect-session.js';
import { Connection, type Inject } from './connection.js';
import { GrpcControl } from './grpc-control.js';
import type { ClientTls } from './tls.js';

export interface ConnectOptions {
  /** How long to wait for the daemon, in milliseconds. Default: 5 seconds. */
  readonly timeoutMs?: number;
  /** For sessions, which walk and write folders. Default: threads of its own. */
  readonly threads?: Threads;
  /** Puts span contexts into headers; default: none. */
  readonly inject?: Inject;
  /** Certificates, for daemons that are reached over TLS (tcp addresses). */
  readonly tls?: ClientTls | undefined;
}

const TIMEOUT_MS = 5000;
const forever = new AbortController().signal;

/** Unavailable (`client.unavailable`), naming the address, when nobody answers in time. */
export async function connectDaemon(
  address: string,
  options: ConnectOptions = {},
  signal: AbortSignal = forever,
): Promise<Daemon> {
  await using opening = new DisposeStack();
  const threads = options.threads ?? (await opening.use(new ThreadPool()));
  const connection = await opening.use(await Connection.open(address, options));
  await connection.ready(options.timeoutMs ?? TIMEOUT_MS, signal);
  const owned = opening.move();
  return {
    name: address,
    control: new GrpcControl(connection),
    openSession: async (offer) => connectSession(connection, { ...offer, threads }),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
