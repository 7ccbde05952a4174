/** Network bridges: netdevice(7), and the ioctl that brctl(8) uses. */
import fs from 'node:fs';
import { closeDescriptor } from './descriptors.js';
import { bind, check } from './libc.js';
import { isErrno } from './system-error.js';

const cSocket = bind('int socket(int domain, int type, int protocol)');
const cIoctl = bind('int ioctl(int fd, unsigned long request, void *argument)');

const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCBRDELBR = 0x89a1;
const IFF_UP = 1;
/** Of `struct ifreq`, whose name takes the first 16. */
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;

export const bridgeExists = (name: string): boolean => fs.existsSync(`/sys/class/net/${name}/bridge`);

/** One that is gone already is no error. */
export function removeBridge(name: string): void {
  const AF_INET = 2;
  const SOCK_DGRAM = 2;
  const SOCK_CLOEXEC = 0o2000000;
  const socket = check(cSocket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket');
  try {
    const request = Buffer.alloc(IFREQ_BYTES);
    request.write(name.slice(0, IFNAMSIZ - 1));
    check(cIoctl(socket, SIOCGIFFLAGS, request), 'ioctl SIOCGIFFLAGS', name);
    // Only one that is down can be removed.
    const flags = new Uint16Array(request.buffer, request.byteOffset + IFNAMSIZ, 1);
    flags[0]! &= ~IFF_UP;
    check(cIoctl(socket, SIOCSIFFLAGS, request), 'ioctl SIOCSIFFLAGS', name);
    check(cIoctl(socket, SIOCBRDELBR, request), 'ioctl SIOCBRDELBR', name);
  } catch (error) {
    if (!isErrno(error, 'ENODEV', 'ENXIO')) throw error;
  } finally {
    closeDescriptor(socket);
  }
}
