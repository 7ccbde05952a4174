/** What a client needs to trust a daemon, and to be trusted by it. BuildKit: client/client.go, buildctl's common.go. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { checkServerIdentity, createSecureContext, type SecureContext } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { invalid } from '../../core/contracts/index.js';

export interface ClientTls {
  /** The name that the daemon's certificate must carry; default: the host of the address. */
  readonly serverName?: string;
  /** PEM files: authorities that may have signed the daemon's certificate (default: the system's), and the client's own. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** The files of a folder, under the names that docker or that Kubernetes gives them. */
export function tlsOfFolder(dir: string): Required<Omit<ClientTls, 'serverName'>> {
  const oneOf = (...names: readonly string[]): string => {
    const found = names.map((name) => join(dir, name)).find((path) => existsSync(path));
    if (found !== undefined) return found;
    throw invalid('client.tls', `the TLS folder ${dir} has neither ${names.join(' nor ')}`);
  };
  return {
    ca: oneOf('ca.pem', 'ca.crt'),
    cert: oneOf('cert.pem', 'tls.crt'),
    key: oneOf('key.pem', 'tls.key'),
  };
}

export interface ClientCredentials {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

/** Names of hosts may be asked for in a handshake, addresses may not (RFC 6066): this stands for them. */
const NO_NAME = 'buildkitd';

/** `host` is what the address says. */
export async function clientCredentials(tls: ClientTls, host: string): Promise<ClientCredentials> {
  const name = tls.serverName ?? host;
  const context = await secureContext(tls);
  return {
    credentials: credentials.createFromSecureContext(context, {
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    }),
    options: { 'grpc.ssl_target_name_override': isIP(name) ? NO_NAME : name },
  };
}

async function secureContext({ ca, cert, key }: ClientTls): Promise<SecureContext> {
  if ((cert === undefined) !== (key === undefined)) {
    throw invalid('client.tls', 'a client certificate needs its key, and a key its certificate');
  }
  const [roots, chain, secret] = await Promise.all([ca, cert, key].map(readPem));
  try {
    return createSecureContext({
      ...(roots ? { ca: roots } : {}),
      ...(chain && secret ? { cert: chain, key: secret } : {}),
    });
  } catch (cause) {
    throw invalid('client.tls', `the TLS files cannot be used: ${(cause as Error).message}`, { cause });
  }
}

async function readPem(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  return readFile(path).catch((cause: Error) => {
    throw invalid('client.tls', `cannot read the TLS file ${path}: ${cause.message}`, { cause });
  });
}
