/** Tells systemd what became of a service: a datagram to the socket that NOTIFY_SOCKET names (sd_notify(3)). */
import { closeSync } from 'node:fs';
import { bind, check } from './libc.js';

const cSocket = bind('int socket(int domain, int type, int protocol)');
const cSendto = bind(
  'int64 sendto(int fd, const void *bytes, size_t length, int flags, const void *address, uint32_t size)',
);
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** A `sockaddr_un`: the family in the machine's order, which is little-endian wherever node runs, and the path. */
export function unixAddress(path: string): Buffer {
  const family = Buffer.from(Uint16Array.of(AF_UNIX).buffer);
  // A leading @ stands for the zero byte of a name that is no file; such a name has no zero at its end.
  const name = path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`;
  return Buffer.concat([family, Buffer.from(name)]);
}

/** `READY=1`, `STOPPING=1`, `STATUS=…`. Does nothing when no service manager asked to be told. */
export function notifySystemd(state: string, env: NodeJS.ProcessEnv): void {
  const path = env.NOTIFY_SOCKET;
  if (!path) return;
  const fd = check(cSocket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket');
  try {
    const [text, address] = [Buffer.from(state), unixAddress(path)];
    check(cSendto(fd, text, text.length, MSG_NOSIGNAL, address, address.length), 'sendto', path);
  } finally {
    closeSync(fd);
  }
}
