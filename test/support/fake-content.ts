import type { ContentStore } from '../../core/contracts/content.js';
import { notFound } from '../../core/contracts/errors.js';
import { type Digest, sha256 } from '../../core/util/digest.js';

export interface FakeBlob {
  readonly data: Uint8Array;
  labels: Readonly<Record<string, string>>;
}

/** A content store in memory, for small blobs. */
export function fakeContent(blobs: Map<Digest, FakeBlob> = new Map()): ContentStore {
  const missing = (): never => {
    throw new Error('not part of this fake');
  };
  const get = (digest: Digest): FakeBlob => {
    const blob = blobs.get(digest);
    if (!blob) throw notFound('content.not-found', `no blob ${digest}`);
    return blob;
  };
  const info = (digest: Digest) => ({
    digest,
    size: get(digest).data.length,
    createdAt: 0,
    labels: get(digest).labels,
  });
  return {
    info: async (digest) => (blobs.has(digest) ? info(digest) : undefined),
    ingest: missing,
    stage: missing,
    writeBlob: async (data, labels = {}) => {
      const digest = sha256(data);
      blobs.set(digest, { data, labels: { ...blobs.get(digest)?.labels, ...labels } });
      return digest;
    },
    readBlob: async (digest) => get(digest).data,
    label: async (digest, labels) => {
      const blob = get(digest);
      blob.labels = { ...blob.labels, ...labels };
      return info(digest);
    },
    list: missing,
    remove: async (digest) => blobs.delete(digest),
    path: missing,
    read: async function* ({ digest }) {
      yield get(digest).data;
    },
  };
}
