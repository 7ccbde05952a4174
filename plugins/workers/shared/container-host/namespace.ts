/**
 * A thread with a mount namespace of its own. Whatever is mounted in it is gone with the last process that lives in
 * it, so nothing is left in the host's namespace, `kill -9` or not.
 *
 * Node's asynchronous fs calls run on other threads, in the host's namespace: whoever works here uses the
 * synchronous ones.
 */
import fs from 'node:fs';
import { mount, mountFlags, unmount } from '../../../../core/util/linux/mount.js';
import { enterNamespace, setUmask, unshare } from '../../../../core/util/linux/process.js';

/** Which controllers a v2 tree beside v1 has. */
const UNIFIED_CONTROLLERS = '/sys/fs/cgroup/unified/cgroup.controllers';

/** Gives the calling thread its own mounts, and a private folder in memory at `dir`. */
export function enterPrivateNamespace(dir: string, options: { readonly hideControllers: boolean }): void {
  unshare('fs', 'mount');
  // Modes here mean what they say, whatever mask the daemon was started with. The mask is `fs`, thus this thread's.
  setUmask(0o022);
  // What the host mounts later still arrives; nothing goes back.
  mount('none', '/', '', mountFlags.rslave);
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  mount('tmpfs', dir, 'tmpfs', mountFlags.nosuid | mountFlags.nodev, 'mode=0711');
  if (options.hideControllers) {
    const empty = `${dir}/no-controllers`;
    fs.writeFileSync(empty, '');
    mount(empty, UNIFIED_CONTROLLERS, '', mountFlags.bind);
  }
}

const OWN_NAMESPACE = '/proc/thread-self/ns/mnt';

/**
 * The namespace that the calling thread leaves for a copy of it. What is mounted from then on is not seen in the outer
 * one: programs that serve such mounts live there, or they would keep their own mounts alive after the daemon.
 */
export class OuterNamespace {
  /** Opened by Node, which closes it should the thread die. The inner one is never held: it has to go with the thread. */
  readonly #fd: number;

  constructor() {
    this.#fd = fs.openSync(OWN_NAMESPACE, 'r');
    unshare('mount');
  }

  /** Does something, starting a program for instance, in the outer namespace. */
  within<T>(work: () => T): T {
    const inner = fs.openSync(OWN_NAMESPACE, 'r');
    try {
      enterNamespace(this.#fd);
      try {
        return work();
      } finally {
        enterNamespace(inner);
      }
    } finally {
      fs.closeSync(inner);
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

/** Gives up the folder in memory, with all that is in it. The namespace itself goes with its last process. */
export function leavePrivateFolder(dir: string): void {
  unmount(dir, { detach: true });
  fs.rmdirSync(dir);
}
