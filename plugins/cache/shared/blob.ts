/** Small blobs in memory. */
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import { BuildError } from '../../../core/contracts/errors.js';
import { collect } from '../../../core/util/chunks.js';
import { sha256 } from '../../../core/util/digest.js';

/** BuildKit gives up beyond 1 MiB; the records of ten thousand steps are more than that. */
const MAX_DOCUMENT = 64 << 20;

/** Reads a blob whole; what is too large for a document is refused, and what has another digest. */
export async function collectBlob(
  provider: ContentProvider,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { digest } = descriptor;
  const data = await collect(provider.read(descriptor, {}, signal), MAX_DOCUMENT);
  if (!data) throw unreadable(`blob ${digest} is larger than ${MAX_DOCUMENT} bytes`);
  if (sha256(data) === digest) return data;
  throw unreadable(`blob ${digest} has other bytes than its digest says`);
}

const unreadable = (why: string): BuildError =>
  new BuildError('cache.corrupt', why, { grpcCode: 'DataLoss' });

export const providerOf = (data: Uint8Array): ContentProvider => ({
  async *read(_descriptor, { offset = 0, length }) {
    yield data.subarray(offset, length === undefined ? undefined : offset + length);
  },
});
