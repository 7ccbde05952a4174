/** containerd's content service over the engine's blobs, read-only. BuildKit: control/control.go. */
import type { UntypedHandleCall } from '@grpc/grpc-js';
import type { content } from '../../proto/index.js';
import { Content } from '../../proto/services.js';
import { timestampOf } from '../../proto/timestamp.js';
import { blobNotFound, notSha256 } from '../content/errors.js';
import { type BlobInfo, type ContentStore, invalid } from '../contracts/index.js';
import { isDigest } from '../util/digest.js';
import { matchesAny, parseFilter } from '../util/filter.js';
import type { Handlers } from './grpc-server.js';

/** Blobs a message of a list, as containerd sends them. */
const LIST_BATCH = 100;

/** Methods that change anything stay without handler: grpc-js answers UNIMPLEMENTED. */
export function contentHandlers(handlers: Handlers, store: ContentStore): Record<string, UntypedHandleCall> {
  return {
    Info: handlers.unary(Content.Info, async ({ digest }) => ({ info: infoOf(await blobOf(store, digest)) })),
    Read: handlers.serverStream(Content.Read, (request, { signal }) => read(store, request, signal)),
    List: handlers.serverStream(Content.List, ({ filters }) => list(store, filters)),
  };
}

async function* read(
  store: ContentStore,
  request: content.ReadContentRequest,
  signal: AbortSignal,
): AsyncIterable<{ readonly offset: number; readonly data: Uint8Array }> {
  const { digest, size } = await blobOf(store, request.digest);
  let { offset } = request;
  if (offset < 0 || offset > size) {
    throw invalid('content.offset', `offset ${offset} is not within ${digest} of ${size} bytes`);
  }
  const length = request.size > 0 ? { length: request.size } : {};
  const descriptor = { digest, size, mediaType: 'application/octet-stream' };
  for await (const data of store.read(descriptor, { offset, ...length }, signal)) {
    yield { offset, data };
    offset += data.length;
  }
}

async function* list(
  store: ContentStore,
  filters: readonly string[],
): AsyncIterable<{ readonly info: content.Info[] }> {
  const parsed = filters.map(parseFilter);
  let info: content.Info[] = [];
  for await (const blob of store.list()) {
    if (!matchesAny(parsed, ([field, key]) => fieldOf(blob, field, key))) continue;
    info.push(infoOf(blob));
    if (info.length < LIST_BATCH) continue;
    yield { info };
    info = [];
  }
  if (info.length > 0) yield { info };
}

function fieldOf(blob: BlobInfo, field: string | undefined, key: string | undefined): string | undefined {
  if (field === 'digest') return blob.digest;
  if (field === 'size') return String(blob.size);
  return field === 'labels' && key !== undefined ? blob.labels[key] : undefined;
}

async function blobOf(store: ContentStore, digest: string): Promise<BlobInfo> {
  if (!isDigest(digest)) throw notSha256(digest);
  const info = await store.info(digest);
  if (!info) throw blobNotFound(digest);
  return info;
}

const infoOf = ({ digest, size, createdAt, labels }: BlobInfo): content.Info => ({
  digest,
  size,
  createdAt: timestampOf(createdAt),
  updatedAt: timestampOf(createdAt),
  labels: { ...labels },
});
