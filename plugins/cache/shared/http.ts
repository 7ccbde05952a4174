/** What stores behind HTTP have in common. */
import type { ByteRange } from '../../../core/contracts/content.js';
import { BuildError, type GrpcCode } from '../../../core/contracts/errors.js';

const codes: Readonly<Record<number, GrpcCode>> = {
  400: 'InvalidArgument',
  401: 'Unauthenticated',
  403: 'PermissionDenied',
  404: 'NotFound',
  409: 'AlreadyExists',
  412: 'FailedPrecondition',
};

/** Enough of an answer to say what is wrong. */
const MAX_REASON = 500;

export async function refusal(what: string, response: Response): Promise<BuildError> {
  const reason = (await response.text().catch(() => '')).slice(0, MAX_REASON).trim();
  const message = `${what}: ${response.status} ${response.statusText}${reason ? `: ${reason}` : ''}`;
  const grpcCode = codes[response.status] ?? (response.status >= 500 ? 'Unavailable' : 'Unknown');
  return new BuildError('cache.store', message, { grpcCode });
}

/** The value of a Range header; undefined for all. */
export function rangeHeader({ offset = 0, length }: ByteRange): string | undefined {
  if (length !== undefined) return `bytes=${offset}-${offset + length - 1}`;
  return offset > 0 ? `bytes=${offset}-` : undefined;
}

export async function* bodyOf(response: Response): AsyncIterable<Uint8Array> {
  if (response.body) yield* response.body as unknown as AsyncIterable<Uint8Array>;
}

export async function wholeBody(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}
