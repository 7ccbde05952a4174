/**
 * An image as a tar of an OCI layout, streamed. Entries come in name order and carry no times, so equal images are
 * equal archives. Facts: containerd core/images/archive/exporter.go.
 */
import type { Descriptor } from '../../../../core/contracts/content.js';
import { BuildError } from '../../../../core/contracts/errors.js';
import { goJson } from '../../../../core/util/go-json.js';
import { familiarImageReference, parseImageReference } from '../../../../core/util/image-reference.js';
import { encodeHeader, TRAILER_SIZE } from '../../../../core/util/tar/encode.js';
import { padded } from '../../../../core/util/tar/header.js';
import { layoutIndex } from './documents.js';
import type { ImageBlob, WrittenImage } from './writer.js';

export interface ArchiveEntry {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  /** undefined for a folder. */
  readonly data: (() => AsyncIterable<Uint8Array>) | undefined;
}

/** The entries of a layout; `manifests` go into its index. */
export function layoutEntries(
  manifests: readonly Descriptor[],
  blobs: readonly ImageBlob[],
  signal: AbortSignal,
): readonly ArchiveEntry[] {
  const distinct = new Map(blobs.map((blob) => [blob.descriptor.digest, blob]));
  const files = [...distinct.values()].map(({ descriptor, provider }): ArchiveEntry => {
    const [algorithm, hex] = descriptor.digest.split(':') as [string, string];
    return {
      name: `blobs/${algorithm}/${hex}`,
      mode: 0o444,
      size: descriptor.size,
      data: () => provider.read(descriptor, {}, signal),
    };
  });
  return [
    folder('blobs/'),
    folder('blobs/sha256/'),
    ...files,
    file('index.json', 0o644, layoutIndex(manifests)),
    file('oci-layout', 0o444, Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
  ];
}

/** One descriptor per name: readers of layouts look images up by these annotations. */
export function namedManifests(root: Descriptor, names: readonly string[]): readonly Descriptor[] {
  if (names.length === 0) return [root];
  return names.map((name) => {
    const { tag, digest } = parseImageReference(name);
    const refName = [tag, digest].filter(Boolean).join('@');
    return {
      ...root,
      annotations: {
        ...root.annotations,
        'io.containerd.image.name': name,
        'org.opencontainers.image.ref.name': refName,
      },
    };
  });
}

/** `manifest.json`, by which `docker load` finds its way. Names in the short form that people write. */
export function dockerManifest(image: WrittenImage, names: readonly string[]): ArchiveEntry {
  const path = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
  const { config, layers } = image.first;
  const repoTags = names.map((name) => familiarImageReference(parseImageReference(name)));
  const described = {
    Config: path(config.digest),
    RepoTags: repoTags.length > 0 ? repoTags : null,
    Layers: layers.length > 0 ? layers.map(({ digest }) => path(digest)) : null,
  };
  return file('manifest.json', 0o644, Buffer.from(goJson([described])));
}

const folder = (name: string): ArchiveEntry => ({ name, mode: 0o755, size: 0, data: undefined });

const file = (name: string, mode: number, data: Uint8Array): ArchiveEntry => ({
  name,
  mode,
  size: data.length,
  data: async function* () {
    yield data;
  },
});

export async function* tarArchive(entries: readonly ArchiveEntry[]): AsyncIterable<Uint8Array> {
  for (const entry of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    yield headerOf(entry);
    let written = 0;
    for await (const chunk of entry.data?.() ?? []) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== entry.size) {
      throw new BuildError(
        'exporter.short-blob',
        `unexpected copy size for ${entry.name}: ${written} bytes instead of ${entry.size}`,
        { grpcCode: 'DataLoss' },
      );
    }
    yield new Uint8Array(padded(entry.size) - entry.size);
  }
  yield new Uint8Array(TRAILER_SIZE);
}

const headerOf = ({ name, mode, size, data }: ArchiveEntry): Uint8Array =>
  encodeHeader({
    type: data === undefined ? 'dir' : 'file',
    name,
    mode,
    size,
    uid: 0,
    gid: 0,
    mtime: 0n,
    linkname: '',
    devmajor: 0,
    devminor: 0,
    xattrs: {},
  });
