/** Closing what was opened here and not by Node. */
import { bind, check } from './libc.js';

const cClose = bind('int close(int fd)');

/**
 * Closes a descriptor that a system call of this folder answered (`openIn`, `pipe`, `fsopen`, …). In worker threads
 * Node keeps count of its own descriptors, and warns of any other that `fs.closeSync` is given.
 */
export function closeDescriptor(fd: number): void {
  check(cClose(fd), 'close');
}
