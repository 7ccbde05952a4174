/** An image of one file as an OCI layout, for cases that hand one in. */
import { createHash } from 'node:crypto';
import type { Files } from './case.js';

const digestOf = (data: string | Uint8Array): string =>
  `sha256:${createHash('sha256').update(data).digest('hex')}`;

export interface Layout {
  /** The files of the layout, below the context's folder `layout`. */
  readonly files: Files;
  /** Of the manifest. */
  readonly digest: string;
}

export function layoutOf(layer: Uint8Array): Layout {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['FROM_LAYOUT=1'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  });
  const blob = (mediaType: string, data: string | Uint8Array) => ({
    mediaType: `application/vnd.oci.image.${mediaType}`,
    digest: digestOf(data),
    size: Buffer.from(data).length,
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: blob('config.v1+json', config),
    layers: [blob('layer.v1.tar', layer)],
  });
  const descriptor = {
    ...blob('manifest.v1+json', manifest),
    platform: { os: 'linux', architecture: 'amd64' },
  };
  const path = (data: string | Uint8Array): string => `layout/blobs/${digestOf(data).replace(':', '/')}`;
  return {
    files: {
      'layout/oci-layout': '{"imageLayoutVersion":"1.0.0"}',
      'layout/index.json': JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }),
      [path(manifest)]: manifest,
      [path(config)]: config,
      [path(layer)]: layer,
    },
    digest: descriptor.digest,
  };
}

/** An archive with one file, `in/a`, dated 2020. */
export function smallArchive(): Uint8Array {
  const header = Buffer.alloc(512);
  const put = (text: string, at: number): void => void header.write(text, at);
  put('in/a', 0);
  put('0000640\0', 100);
  put('0000007\0', 108);
  put('0000010\0', 116);
  put('00000000002\0', 124);
  put('13603060200\0', 136);
  put('        ', 148);
  put('0', 156);
  put('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, Buffer.from('a\n'.padEnd(512, '\0')), Buffer.alloc(1024)]);
}
