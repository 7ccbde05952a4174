/** Pseudo terminals: pty(7), ioctl_tty(2). Made without names, so that it does not matter where /dev/pts is. */
import fs from 'node:fs';
import { closeDescriptor } from './descriptors.js';
import { AT_FDCWD, bind, check } from './libc.js';
import { openIn } from './open-in.js';

const cIoctl = bind('int ioctl(int fd, unsigned long request, void *argument)');
const cIoctlNumber = bind('int ioctl(int fd, unsigned long request, int64 argument)');
const cGetAttributes = bind('int tcgetattr(int fd, void *termios)');
const cSetAttributes = bind('int tcsetattr(int fd, int actions, const void *termios)');
const cMakeRaw = bind('void cfmakeraw(void *termios)');

const TIOCSPTLCK = 0x40045431;
const TIOCGPTPEER = 0x5441;
const TIOCSWINSZ = 0x5414;

export interface Pty {
  /** Non-blocking. The caller closes both. */
  readonly master: number;
  readonly slave: number;
}

/** A terminal that passes bytes on as they come, except that it turns `\n` into `\r\n` on the way out. */
export function openPty(): Pty {
  const { O_RDWR, O_NOCTTY, O_NONBLOCK } = fs.constants;
  const master = openIn(AT_FDCWD, '/dev/ptmx', O_RDWR | O_NOCTTY | O_NONBLOCK, { resolve: 0 });
  try {
    check(cIoctl(master, TIOCSPTLCK, new Uint8Array(4)), 'ioctl TIOCSPTLCK');
    const O_CLOEXEC = 0o2000000;
    const slave = check(
      cIoctlNumber(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
      'ioctl TIOCGPTPEER',
    );
    try {
      makeRaw(slave);
      return { master, slave };
    } catch (error) {
      closeDescriptor(slave);
      throw error;
    }
  } catch (error) {
    closeDescriptor(master);
    throw error;
  }
}

/** The kernel sends SIGWINCH to who reads from it. */
export function setTerminalSize(fd: number, size: { readonly rows: number; readonly columns: number }): void {
  // struct winsize: rows, columns, and two that nobody uses.
  const words = new Uint16Array([size.rows, size.columns, 0, 0]);
  check(cIoctl(fd, TIOCSWINSZ, new Uint8Array(words.buffer)), 'ioctl TIOCSWINSZ');
}

function makeRaw(fd: number): void {
  const TCSANOW = 0;
  const OPOST = 1;
  // struct termios begins with four 32 bit words of flags: input, output, control, local. glibc: 60 bytes.
  const termios = new Uint8Array(128);
  check(cGetAttributes(fd, termios), 'tcgetattr');
  cMakeRaw(termios);
  new Uint32Array(termios.buffer)[1]! |= OPOST;
  check(cSetAttributes(fd, TCSANOW, termios), 'tcsetattr');
}
