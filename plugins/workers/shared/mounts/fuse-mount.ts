/**
 * A file system served by the program fuse-overlayfs, for where the kernel mounts no overlays.
 *
 * 1. The mount is made here and the program gets its end of it as a descriptor (libfuse 3.3: `/dev/fd/N`). So the mount
 *    is there at once, whoever uses it first waits in the kernel until the program serves it, and no setuid helper
 *    is needed.
 * 2. The program ends by itself when the last mount is gone. Nobody has to find and kill it after a crash, as long as
 *    it does not live in the mount namespace of its own mount: {@link FuseSpawn} is how it is started elsewhere.
 * 3. The kernel keeps written pages back. They are asked for before the mount goes, and a program that is gone before its
 *    time may have lost some: then the mount has failed, whatever its users say.
 */
import fs from 'node:fs';
import { BuildError } from '../../../../core/contracts/errors.js';
import type { Mount } from '../../../../core/contracts/mount.js';
import { closeDescriptor } from '../../../../core/util/linux/descriptors.js';
import { AT_FDCWD } from '../../../../core/util/linux/libc.js';
import { mount, mountFlags, parseMountOptions, unmount } from '../../../../core/util/linux/mount.js';
import { openIn } from '../../../../core/util/linux/open-in.js';
import type { SpawnOptions } from '../../../../core/util/linux/spawn.js';
import { syncFileSystem } from '../../../../core/util/linux/sync.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import { overlayOption } from './overlay.js';

/** A running program: as much of it as a mount needs to know. */
export interface FuseProgram {
  hasExited(): boolean;
  /** The exit code, 128 + signal for one that was killed. */
  ended(): Promise<number>;
  kill(): void;
}

export type FuseSpawn = (path: string, options: SpawnOptions) => FuseProgram;

const DEVICE = '/dev/fuse';
/** Where the program finds its end of the mount. */
const CHANNEL = 3;
/** In the order of what the kernel calls them; the ids are those of the mount's user namespace. */
const mountData = (fd: number): string =>
  `fd=${fd},rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other`;
/** The last mount is gone by then, or somebody else holds it. */
const END_MS = 5000;

export class FuseMount {
  readonly #target: string;
  readonly #log: string;
  readonly #program: FuseProgram;
  #detached = false;

  /** Mounts at `target`; `log` is a file of its own for what the program complains about. */
  constructor(program: string, overlay: Mount, places: { target: string; log: string }, spawn: FuseSpawn) {
    const { target, log } = places;
    this.#target = target;
    this.#log = log;
    const channel = openIn(AT_FDCWD, DEVICE, fs.constants.O_RDWR, { resolve: 0 });
    try {
      mount('fuse-overlayfs', target, 'fuse.fuse-overlayfs', flagsOf(overlay), mountData(channel));
      try {
        this.#program = this.#start(program, overlay, channel, spawn);
      } catch (error) {
        unmount(target, { detach: true });
        throw error;
      }
    } finally {
      // A mount whose program has ended answers so, instead of waiting, once nobody else holds this end.
      closeDescriptor(channel);
    }
    this.#checkServed();
  }

  /** Takes the mount out of the tree of files; it lasts for those who have something open in it. */
  detach(): void {
    if (!this.#detached) unmount(this.#target, { detach: true });
    this.#detached = true;
  }

  /** Rule 3. */
  async release(): Promise<void> {
    const before = !this.#detached && this.#program.hasExited();
    if (!this.#detached && !before) this.#writeBack();
    this.detach();
    const patience = setTimeout(() => this.#program.kill(), END_MS);
    const code = await this.#program.ended();
    clearTimeout(patience);
    const said = this.#complaints();
    fs.rmSync(this.#log, { force: true });
    if (before) throw failed(`ended with exit code ${code} while it was needed`, said);
  }

  /** Waits until the program serves the mount; when it cannot, what it says is the reason. */
  #checkServed(): void {
    try {
      fs.statSync(this.#target);
    } catch (error) {
      this.detach();
      this.#program.kill();
      void this.#program.ended();
      if (!isErrno(error, 'ENOTCONN', 'ECONNABORTED')) throw error;
      throw failed('cannot serve a mount', this.#complaints());
    }
  }

  #start(program: string, overlay: Mount, channel: number, spawn: FuseSpawn): FuseProgram {
    const { O_WRONLY, O_CREAT, O_TRUNC } = fs.constants;
    const log = openIn(AT_FDCWD, this.#log, O_WRONLY | O_CREAT | O_TRUNC, { mode: 0o600, resolve: 0 });
    const nothing = openIn(AT_FDCWD, '/dev/null', fs.constants.O_RDONLY, { resolve: 0 });
    try {
      return spawn(program, {
        args: ['fuse-overlayfs', '-f', '-o', programOptions(overlay), `/dev/fd/${CHANNEL}`],
        env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        stdio: [nothing, log, log, channel],
      });
    } finally {
      closeDescriptor(log);
      closeDescriptor(nothing);
    }
  }

  #writeBack(): void {
    try {
      syncFileSystem(this.#target);
    } catch (error) {
      // It has just ended: the exit tells the rest.
      if (!isErrno(error, 'ENOTCONN', 'ECONNABORTED')) throw error;
    }
  }

  #complaints(): string {
    // Debian's program says at each start that it does not know an option that it was given by itself.
    const lines = fs.readFileSync(this.#log, 'utf8').split('\n');
    return lines.filter((line) => line !== '' && !line.startsWith('unknown argument ignored')).join('; ');
  }
}

const flagsOf = ({ options }: Mount): number =>
  parseMountOptions(options).flags | (overlayOption(options, 'upperdir') === undefined ? mountFlags.ro : 0);

/**
 * `volatile`: without it every fsync in a step goes to the disk, and the layer is made durable when it is committed.
 * Versions that do not know it say so and go on.
 */
function programOptions({ options }: Mount): string {
  const dirs = options.filter((option) => /^(lowerdir|upperdir|workdir)=/.test(option));
  const writable = dirs.some((option) => option.startsWith('upperdir='));
  return [...dirs, ...(writable ? ['volatile'] : [])].join(',');
}

const failed = (what: string, said: string): BuildError =>
  new BuildError('exec.fuse-overlayfs', `fuse-overlayfs ${what}${said && `: ${said}`}`);
