/** Results to export. */
import type { BuildResult } from '../../../core/contracts/exporter.js';
import type { RefLayer } from '../../../core/contracts/refs.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { mediaTypes } from '../../../core/util/media-types.js';
import { parsePlatform } from '../../../core/util/platform.js';
import { fakeRef } from '../../support/recorded-refs.js';

export interface ResultLayer {
  readonly data: string;
  readonly description?: string;
  /** Milliseconds. */
  readonly createdAt?: number;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const diffIdOf = (data: string): Digest => sha256(`diff ${data}`);

export function refOf(id: string, layers: readonly ResultLayer[]): ReturnType<typeof fakeRef> {
  const blobs = new Map(layers.map(({ data }) => [sha256(data), Buffer.from(data)]));
  const imageLayers = layers.map((layer): RefLayer => {
    const { data, description = '', createdAt = 0, annotations } = layer;
    const mediaType = layer.mediaType ?? `${mediaTypes.ociLayer}+gzip`;
    const descriptor = {
      mediaType,
      digest: sha256(data),
      size: data.length,
      ...(annotations ? { annotations } : {}),
    };
    return { descriptor, diffId: diffIdOf(data), createdAt, description };
  });
  const provider = {
    read: async function* ({ digest }: { digest: Digest }) {
      yield blobs.get(digest) ?? Buffer.from('');
    },
  };
  return fakeRef({ id, layers: [`/${id}`], imageLayers, provider });
}

export function resultOf(
  platforms: Readonly<Record<string, readonly ResultLayer[]>>,
  metadata: Readonly<Record<string, string>> = {},
): BuildResult {
  const names = Object.keys(platforms);
  const listed = names.map((ID) => {
    const { os, architecture, variant } = parsePlatform(ID);
    return { ID, Platform: { os, architecture, variant } };
  });
  return {
    platforms: names.map((id) => ({ id, platform: parsePlatform(id), ref: refOf(id, platforms[id]!) })),
    multiPlatform: names.length > 1,
    metadata: new Map(
      Object.entries({ 'refs.platforms': JSON.stringify({ Platforms: listed }), ...metadata }).map(
        ([key, value]) => [key, Buffer.from(value)],
      ),
    ),
  };
}
