/** `http://buildkit-session/<id>`: what a client sends itself, such as a context on its standard input. */
import { notFound } from '../../../core/contracts/errors.js';
import type { SessionGroup, Sessions } from '../../../core/contracts/session.js';
import type { HttpAnswer } from './http-client.js';

export const isSessionUrl = (url: string): boolean => new URL(url).host === 'buildkit-session';

/** Each can be read once. */
export async function readUpload(
  url: string,
  sessions: Sessions,
  group: SessionGroup,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const data = await sessions.any(
    group,
    async ({ uploads }) => {
      if (uploads?.offered) return uploads.pull(new URL(url), signal);
      throw notFound('http.no-upload', `${url}: no client of this build sends anything by that name`);
    },
    signal,
  );
  return {
    status: 200,
    header: () => undefined,
    size: undefined,
    body: () => data,
    discard: async () => {},
  };
}
