import { BuildError, notFound } from '../../../core/contracts/errors.js';
import type { SessionGroup, Sessions } from '../../../core/contracts/session.js';

/**
 * The first of the secrets that a client of the build has; undefined when nobody has any, or no client is there to be
 * asked.
 */
export async function findSecret(
  sessions: Sessions,
  group: SessionGroup,
  names: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly value: string } | undefined> {
  if (names.length === 0 || group.ids().length === 0) return undefined;
  try {
    return await sessions.any(
      group,
      async ({ secrets }) => {
        for (const name of names) {
          const data = await secrets.get(name, signal);
          if (data) return { name, value: Buffer.from(data).toString() };
        }
        throw notFound('source.no-secret', `no client has a secret ${names.join(' or ')}`);
      },
      signal,
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BuildError && isNobody(error)) return undefined;
    throw error;
  }
}

const isNobody = ({ grpcCode }: BuildError): boolean =>
  ['NotFound', 'Unavailable', 'DeadlineExceeded', 'FailedPrecondition'].includes(grpcCode);
