/** Secrets of a step, asked of the sessions of every build that wants the step. */
import { BuildError, notFound } from '../../../contracts/errors.js';
import type { SessionGroup, Sessions } from '../../../contracts/session.js';
import type { SecretEnv } from '../../model.js';

/** undefined when an optional secret is not there; a required one is NotFound. */
export async function readSecret(
  sessions: Sessions,
  group: SessionGroup,
  secret: { readonly id: string; readonly optional: boolean },
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const ask = async (): Promise<Uint8Array> =>
    sessions.any(
      group,
      async (session) => {
        const data = await session.secrets.get(secret.id, signal);
        if (data) return data;
        throw notFound('secret.not-found', `secret ${secret.id}: not found`, {
          hint: `Hand it over with --secret id=${secret.id},src=<file>.`,
        });
      },
      signal,
    );
  try {
    return await ask();
  } catch (error) {
    if (secret.optional && error instanceof BuildError && error.grpcCode === 'NotFound') return undefined;
    throw error;
  }
}

/** `NAME=value` per secret; one that is optional and missing is set to nothing. */
export const secretEnv = (
  sessions: Sessions,
  group: SessionGroup,
  secrets: readonly SecretEnv[],
  signal: AbortSignal,
): Promise<string[]> =>
  Promise.all(
    secrets.map(async (secret) => {
      const data = await readSecret(sessions, group, secret, signal);
      return `${secret.name}=${Buffer.from(data ?? []).toString()}`;
    }),
  );
