/** Connects to a daemon over gRPC. */
import type { Threads } from '../../core/contracts/index.js';
import type { Daemon } from '../daemon.js';
import { connectSession } from '../session/connect-session.js';
import { Connection, type Inject } from './connection.js';
import { GrpcControl } from './grpc-control.js';

export interface ConnectOptions {
  /** How long to wait for the daemon, in milliseconds. */
  readonly timeoutMs: number;
  /** For sessions, which walk and write folders. */
  readonly threads: Threads;
  /** Puts span contexts into headers; default: none. */
  readonly inject?: Inject;
}

const forever = new AbortController().signal;

/** Unavailable (`client.unavailable`), naming the address, when nobody answers in time. */
export async function connectDaemon(
  address: string,
  options: ConnectOptions,
  signal: AbortSignal = forever,
): Promise<Daemon> {
  const connection = new Connection(address, options.inject);
  try {
    await connection.ready(options.timeoutMs, signal);
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
  return {
    name: address,
    control: new GrpcControl(connection),
    openSession: async (offer) => connectSession(connection, { ...offer, threads: options.threads }),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}
