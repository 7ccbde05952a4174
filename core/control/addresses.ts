/** Where a daemon listens: `unix:///path`, `tcp://host:port`, and `fd://` for what systemd has opened. */
import { mkdir, rm, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { BuildError, invalid, unsupported } from '../contracts/index.js';

export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'fd'; readonly descriptor: number | undefined };

export function parseListenAddress(text: string): ListenAddress {
  const match = /^([a-z]+):\/\/(.*)$/.exec(text);
  const [, scheme, rest = ''] = match ?? [];
  if (scheme === 'unix' && rest.startsWith('/')) return { kind: 'unix', path: rest };
  if (scheme === 'tcp') {
    const tcp = /^(.*):(\d+)$/.exec(rest);
    if (tcp) return { kind: 'tcp', host: tcp[1]!.replace(/^\[|\]$/g, '') || '0.0.0.0', port: Number(tcp[2]) };
  }
  if (scheme === 'fd' && /^\d*$/.test(rest)) {
    return { kind: 'fd', descriptor: rest === '' ? undefined : Number(rest) };
  }
  if (scheme === 'npipe') throw unsupported('control.address', 'npipe:// addresses are for Windows');
  throw invalid('control.address', `"${text}" is not an address to listen on`, {
    hint: 'give unix:///path/to/buildkitd.sock, tcp://127.0.0.1:1234 or fd://',
  });
}

/** Whether {@link parseListenAddress} knows what is meant, supported or not. */
export function isListenAddress(text: string): boolean {
  try {
    parseListenAddress(text);
    return true;
  } catch (error) {
    return error instanceof BuildError && error.grpcCode === 'Unimplemented';
  }
}

/** Makes room for a unix socket: its folder, and no stale socket of a daemon that died. A live one is an error. */
export async function prepareSocket(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o711 });
  const present = await stat(path).catch(() => undefined);
  if (present === undefined) return;
  if (!present.isSocket()) throw invalid('control.address', `${path} exists and is not a socket`);
  if (await answers(path)) {
    throw new BuildError('control.address-in-use', `another daemon listens on unix://${path}`, {
      grpcCode: 'AlreadyExists',
    });
  }
  await rm(path);
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
