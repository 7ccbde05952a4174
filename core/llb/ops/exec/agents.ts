/** ssh agents of a step, asked of the sessions of every build that wants the step. */

import { BuildError } from '../../../contracts/errors.js';
import type { Mountable } from '../../../contracts/executor.js';
import type { Session } from '../../../contracts/session.js';
import type { OpContext } from '../../../solver/op.js';
import type { OwnedSocket } from '../../../util/socket-folder.js';
import type { SecretFile } from '../../model.js';
import type { LlbServices } from '../../services.js';

/** A socket that leads to the client's agent; undefined when an optional one is not there. */
export async function openAgent(
  { sessions, sockets, logger }: Pick<LlbServices, 'sessions' | 'sockets' | 'logger'>,
  agent: SecretFile,
  { sessions: group, signal }: Pick<OpContext, 'sessions' | 'signal'>,
): Promise<OwnedSocket | undefined> {
  const session = await findAgent({ sessions }, agent, { sessions: group, signal });
  if (!session) return undefined;
  const { id, uid, gid, mode } = agent;
  return sockets.open(
    { uid, gid, mode: mode & 0o777 },
    (connection) => session.agents.forward(id, connection, signal),
    (err) => logger.debug('a connection to an ssh agent failed', { agent: id, err }),
  );
}

export const socketTree = ({ path }: OwnedSocket): Mountable => ({
  mounts: async () => [{ type: 'bind', source: path, options: ['rbind'] }],
});

async function findAgent(
  { sessions }: Pick<LlbServices, 'sessions'>,
  { id, optional }: SecretFile,
  { sessions: group, signal }: Pick<OpContext, 'sessions' | 'signal'>,
): Promise<Session | undefined> {
  try {
    return await sessions.any(
      group,
      async (session) => {
        await session.agents.check(id, signal);
        return session;
      },
      signal,
    );
  } catch (error) {
    if (optional && error instanceof BuildError && error.grpcCode === 'NotFound') return undefined;
    throw error;
  }
}
