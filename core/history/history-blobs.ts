/** The blobs of a build's record: its log, its error, its trace, and the documents of what it made. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { type control, rpc } from '../../proto/index.js';
import type { ContentStore, Descriptor } from '../contracts/index.js';
import { parts } from '../util/chunks.js';
import { type Digest, sha256 } from '../util/digest.js';
import { isIndexType, isManifestType } from '../util/media-types.js';
import type { Statement } from './build-recording.js';

/** As BuildKit spells it. */
export const ERROR_STATUS = 'application/vnd.googeapis.google.rpc.status+proto';

/** Something that gets its digest before it is a blob, so that it can be held first. */
export interface HistoryBlob extends AsyncDisposable {
  readonly descriptor: control.Descriptor;
  commit(): Promise<void>;
}

export const descriptorOf = ({
  mediaType,
  digest,
  size,
  annotations = {},
}: Descriptor): control.Descriptor => ({
  mediaType,
  digest,
  size,
  annotations: { ...annotations },
});

/** Writes chunks to a file that is to be a blob. Small chunks are written together. */
export async function fileBlob(
  content: ContentStore,
  mediaType: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<HistoryBlob> {
  const staged = await content.stage();
  try {
    const hash = createHash('sha256');
    let size = 0;
    const file = await open(staged.path, 'w');
    try {
      for await (const chunk of parts(chunks, WRITE_BYTES)) {
        hash.update(chunk);
        size += chunk.length;
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
    const digest: Digest = `sha256:${hash.digest('hex')}`;
    return {
      descriptor: descriptorOf({ mediaType, digest, size }),
      commit: () => staged.commit({ digest, size }),
      [Symbol.asyncDispose]: () => staged[Symbol.asyncDispose](),
    };
  } catch (error) {
    await staged[Symbol.asyncDispose]();
    throw error;
  }
}

/** A write costs more than what a span or a line of progress has to write. */
const WRITE_BYTES = 256 << 10;

function smallBlob(
  content: ContentStore,
  mediaType: string,
  data: Uint8Array,
  annotations: Readonly<Record<string, string>> = {},
): HistoryBlob {
  return {
    descriptor: descriptorOf({ mediaType, digest: sha256(data), size: data.length, annotations }),
    commit: async () => {
      await content.writeBlob(data);
    },
    async [Symbol.asyncDispose]() {},
  };
}

export const errorBlob = (content: ContentStore, status: rpc.Status): HistoryBlob =>
  smallBlob(content, ERROR_STATUS, rpc.Status.encode(status).finish());

export const statementBlob = (content: ContentStore, { predicateType, predicate }: Statement): HistoryBlob =>
  smallBlob(content, 'application/vnd.in-toto+json', predicate, {
    'in-toto.io/predicate-type': predicateType,
  });

/** An image's documents: index, manifests and configs, and no layers. Only those that are in the store. */
export async function documentsOf(content: ContentStore, { mediaType, digest }: Document): Promise<Digest[]> {
  if (!(await content.info(digest))) return [];
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) return [digest];
  const { manifests = [], config } = JSON.parse(
    Buffer.from(await content.readBlob(digest)).toString(),
  ) as Documents;
  const named = await Promise.all(
    [...manifests, ...(config ? [config] : [])].map((next) => documentsOf(content, next)),
  );
  return [digest, ...named.flat()];
}

type Document = Pick<Descriptor, 'mediaType' | 'digest'>;
interface Documents {
  readonly manifests?: readonly Document[];
  readonly config?: Document;
}
