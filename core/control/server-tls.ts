/** What the daemon shows its clients on tcp addresses, and what it asks of them. BuildKit: cmd/buildkitd/main.go. */
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { invalid } from '../contracts/index.js';

/** PEM files, as `[grpc.tls]` names them. */
export interface ServerTls {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Clients must then have a certificate that one of these authorities has signed. */
  readonly ca?: string | undefined;
}

/** undefined: no TLS. */
export async function serverCredentials({
  cert,
  key,
  ca,
}: ServerTls): Promise<ServerCredentials | undefined> {
  if (!cert && !key) {
    if (ca) throw invalid('control.tls', 'a CA for clients (tlscacert) needs tlscert and tlskey, too');
    return undefined;
  }
  if (!cert || !key)
    throw invalid('control.tls', 'TLS needs both a certificate (tlscert) and its key (tlskey)');
  const [chain, secret, roots] = await Promise.all([
    readPem(cert),
    readPem(key),
    ca ? readPem(ca) : undefined,
  ]);
  try {
    // The handshake would be the first to notice that they do not fit.
    createSecureContext({ cert: chain, key: secret, ...(roots ? { ca: roots } : {}) });
  } catch (cause) {
    throw invalid('control.tls', `${cert} and ${key} cannot be used: ${(cause as Error).message}`, { cause });
  }
  return ServerCredentials.createSsl(
    roots ?? null,
    [{ cert_chain: chain, private_key: secret }],
    roots !== undefined,
  );
}

const readPem = (path: string): Promise<Buffer> =>
  readFile(path).catch((cause: Error) => {
    throw invalid('control.tls', `cannot read the TLS file ${path}: ${cause.message}`, { cause });
  });
