/**
 * Finds the daemon for a command: the one that was named, the one at the usual address, or the engine in this process.
 */
import { existsSync } from 'node:fs';
import type { Daemon } from '../../client/daemon.js';
import type { SpanContext } from '../../core/contracts/index.js';
import type { Context, GlobalOptions } from './context.js';
import { tlsOf } from './tls.js';
import { usualSocket } from './usual-socket.js';

/** How long the usual address may take before the embedded engine steps in, in milliseconds. */
const PROBE_MS = 1000;

type Base = Omit<Context, 'daemon'>;

export async function openDaemon(base: Base): Promise<Daemon> {
  const { addr, root } = base.options;
  if (addr) return connect(addr, base, waitOf(base.options));
  // A state folder was named: that is a wish for the embedded engine.
  const socket = usualSocket();
  if (root === undefined && existsSync(socket)) {
    const daemon = await connect(`unix://${socket}`, base, PROBE_MS).catch(() => undefined);
    if (daemon) return daemon;
  }
  const { openEmbedded } = await import('./embedded.js');
  return openEmbedded(base);
}

const waitOf = ({ wait, timeoutMs }: GlobalOptions): number => (wait ? Number.POSITIVE_INFINITY : timeoutMs);

async function connect(
  address: string,
  { options, tracing, signal }: Base,
  timeoutMs: number,
): Promise<Daemon> {
  const { connectDaemon } = await import('../../client/grpc/connect.js');
  const inject = (context: SpanContext): Record<string, string> => tracing.inject(context);
  return connectDaemon(address, { timeoutMs, inject, tls: tlsOf(options.tls) }, signal);
}
