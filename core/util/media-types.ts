/** Media types of images, in OCI's and Docker's spelling. */

export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

export const isIndexType = (type: string): boolean =>
  type === mediaTypes.ociIndex || type === mediaTypes.dockerList;

export const isManifestType = (type: string): boolean =>
  type === mediaTypes.ociManifest || type === mediaTypes.dockerManifest;

export const isSchema1Type = (type: string): boolean =>
  type === mediaTypes.dockerSchema1 || type === mediaTypes.dockerSchema1Signed;

const ociNondistributable = 'application/vnd.oci.image.layer.nondistributable.v1.tar';

/** A layer's media type as base and compression: `+gzip` and `.gzip` mean the same. */
const layerPattern =
  /^application\/vnd\.(?:oci\.image\.layer\.(nondistributable\.)?v1\.tar|docker\.image\.rootfs\.(foreign\.)?diff\.tar)(?:[.+](gzip|zstd))?$/;

export const isLayerType = (type: string): boolean => layerPattern.test(type);

/** Licences forbid to pass such a layer on: registries are not sent it. */
export function isNondistributableLayer(type: string): boolean {
  const match = layerPattern.exec(type);
  return match !== null && (match[1] ?? match[2]) !== undefined;
}

/**
 * The media type a layer has in an image of `family`. Layers that must not be distributed keep that mark only when
 * `keepNondistributable`. An unknown type is answered as it is.
 */
export function layerMediaType(
  type: string,
  family: 'oci' | 'docker',
  keepNondistributable: boolean,
): string {
  const match = layerPattern.exec(type);
  if (!match) return type;
  const nondistributable = keepNondistributable && (match[1] ?? match[2]) !== undefined;
  const compression = match[3];
  if (family === 'oci') {
    return `${nondistributable ? ociNondistributable : mediaTypes.ociLayer}${compression ? `+${compression}` : ''}`;
  }
  const base = nondistributable ? mediaTypes.dockerForeignLayer : mediaTypes.dockerLayer;
  return `${base}${compression ? `.${compression}` : ''}`;
}
