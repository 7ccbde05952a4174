/**
 * Sockets that systemd opened for the daemon: LISTEN_FDS descriptors from 3 on, if LISTEN_PID means this process
 * (sd_listen_fds(3)). BuildKit: cmd/buildkitd/main_unix.go.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { BuildError, invalid } from '../contracts/index.js';

const FIRST = 3;

/** The descriptor that `fd://` (the first one) or `fd://<n>` names. */
export function inheritedDescriptor(wanted: number | undefined, env: NodeJS.ProcessEnv, pid: number): number {
  const count = env.LISTEN_PID === String(pid) ? Number(env.LISTEN_FDS ?? 0) : 0;
  if (!(count > 0)) {
    throw invalid('control.address', 'no socket was handed over for fd://', {
      hint: 'start the daemon by a systemd socket unit, which sets LISTEN_FDS and LISTEN_PID',
    });
  }
  const descriptor = wanted ?? FIRST;
  if (descriptor >= FIRST && descriptor < FIRST + count) return descriptor;
  throw invalid(
    'control.address',
    `fd://${descriptor}: sockets were handed over as ${FIRST} to ${FIRST + count - 1}`,
  );
}

export async function listenOnDescriptor(descriptor: number): Promise<Server> {
  const server = createServer({ pauseOnConnect: false }).listen({ fd: descriptor });
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new BuildError(
      'control.listen',
      `cannot listen on fd://${descriptor}: ${(cause as Error).message}`,
      {
        cause: cause as Error,
      },
    );
  }
  return server;
}
