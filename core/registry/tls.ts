import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { BuildError } from '../contracts/errors.js';

export interface TlsConfig {
  /** PEM files of further certificate authorities. */
  readonly ca: readonly string[];
  /** Client certificates. */
  readonly keypair: readonly { readonly key: string; readonly cert: string }[];
  /** Folders like `/etc/docker/certs.d/<host>`: `*.crt` are authorities, `x.cert` and `x.key` a client pair. */
  readonly tlsconfigdir: readonly string[];
}

export interface TlsMaterial {
  readonly ca?: string[];
  readonly cert?: string[];
  readonly key?: string[];
}

/** Reads the files. Further authorities add to the system's, they do not replace them. */
export async function loadTls(config: TlsConfig): Promise<TlsMaterial> {
  const found = await Promise.all(config.tlsconfigdir.map(scanFolder));
  const ca = [...config.ca, ...found.flatMap((folder) => folder.ca)];
  const pairs = [...config.keypair, ...found.flatMap((folder) => folder.keypair)];
  return {
    ...(ca.length > 0 ? { ca: [...rootCertificates, ...(await Promise.all(ca.map(readPem)))] } : {}),
    ...(pairs.length > 0
      ? {
          cert: await Promise.all(pairs.map(({ cert }) => readPem(cert))),
          key: await Promise.all(pairs.map(({ key }) => readPem(key))),
        }
      : {}),
  };
}

async function scanFolder(dir: string): Promise<Pick<TlsConfig, 'ca' | 'keypair'>> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EACCES') return [];
    throw unreadable(dir, error);
  });
  const sorted = names.sort();
  return {
    ca: sorted.filter((name) => name.endsWith('.crt')).map((name) => join(dir, name)),
    keypair: sorted
      .filter((name) => name.endsWith('.cert'))
      .map((name) => ({ cert: join(dir, name), key: join(dir, name.replace(/\.cert$/, '.key')) })),
  };
}

const readPem = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error);
  });

const unreadable = (path: string, error: NodeJS.ErrnoException): BuildError =>
  new BuildError('registry.tls-config', `cannot read the registry's TLS file ${path}: ${error.message}`, {
    grpcCode: 'FailedPrecondition',
    cause: error,
  });
