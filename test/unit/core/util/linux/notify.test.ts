import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { bind, check } from '../../../../../core/util/linux/libc.js';
import { notifySystemd, unixAddress } from '../../../../../core/util/linux/notify.js';

const cSocket = bind('int socket(int domain, int type, int protocol)');
const cBind = bind('int bind(int fd, const void *address, uint32_t size)');
const cRecv = bind('int64 recv(int fd, void *bytes, size_t length, int flags)');
const MSG_DONTWAIT = 0x40;

/** What a service manager hears at this address. */
function heard(address: string, work: () => void): string {
  const fd = check(cSocket(1, 2, 0), 'socket');
  try {
    const bytes = unixAddress(address);
    check(cBind(fd, bytes, bytes.length), 'bind', address);
    work();
    const buffer = Buffer.alloc(256);
    return buffer.toString('utf8', 0, check(cRecv(fd, buffer, buffer.length, MSG_DONTWAIT), 'recv'));
  } finally {
    closeSync(fd);
  }
}

describe('notes to systemd', () => {
  it('reach sockets that are files', () => {
    const dir = mkdtempSync(join(tmpdir(), 'buildkit-notify-'));
    const NOTIFY_SOCKET = join(dir, 'notify');
    expect(heard(NOTIFY_SOCKET, () => notifySystemd('READY=1', { NOTIFY_SOCKET }))).to.equal('READY=1');
    rmSync(dir, { recursive: true });
  });

  it('reach sockets without a file', () => {
    const NOTIFY_SOCKET = `@buildkit-notify-${process.pid}`;
    expect(heard(NOTIFY_SOCKET, () => notifySystemd('STOPPING=1', { NOTIFY_SOCKET }))).to.equal('STOPPING=1');
  });

  it('are not written when nobody asked', () => {
    expect(() => notifySystemd('READY=1', {})).not.to.throw();
  });

  it('fail with the address when nobody listens', () => {
    const env = { NOTIFY_SOCKET: '/nowhere/notify' };
    expect(() => notifySystemd('READY=1', env)).to.throw(/\/nowhere\/notify/);
  });
});
