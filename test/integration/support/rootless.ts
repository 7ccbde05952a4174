/**
 * An ordinary user with a home of its own, and programs run as that user. The bundles are bound into the home: the
 * checkout may lie where only root can look.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureRootlessUser, type User } from '../../../scripts/lib/rootless-user.mjs';
import { programs } from './processes.js';

/** Why these tests cannot run here, if so. */
export function whyNotRootless(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to become another user';
  const missing = ['rootlesskit', 'newuidmap', 'useradd', 'setpriv'].find((name) => !installed(name));
  if (missing !== undefined) return `needs ${missing}`;
  const { status, stderr } = spawnSync('unshare', ['--user', '--map-root-user', 'true'], {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `user namespaces cannot be made: ${stderr.trim()}`;
}

/** Why layers cannot be mounted by fuse-overlayfs here, if so. */
export function whyNotFuse(): string | undefined {
  if (!installed('fuse-overlayfs')) return 'needs fuse-overlayfs';
  return existsSync('/dev/fuse') ? undefined : 'needs /dev/fuse';
}

const installed = (name: string): boolean =>
  ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'].some((dir) => existsSync(join(dir, name)));

/**
 * Binds the bundles and Node, and a /dev/fuse that users may open, as udev makes it; then becomes the user; what follows is the program. `locked` is a place with flags that a
 * user namespace cannot clear, as homes often have them.
 */
const ENTER = `
set -e
mount --bind "$BUNDLES" "$HOME/project"
mount --bind "$NODE" "$HOME/node"
mount -t tmpfs -o nosuid,nodev,noatime,mode=777 none "$HOME/locked"
if [ -e "$HOME/fuse" ]; then mount --bind "$HOME/fuse" /dev/fuse; fi
cd "$HOME"
exec setpriv --reuid="$USER" --regid="$GROUP" --init-groups env -u BUNDLES -u NODE -u GROUP "$@"
`;

export class RootlessHome implements AsyncDisposable {
  readonly dir: string;
  readonly user: User;

  static async open(): Promise<RootlessHome> {
    const user = ensureRootlessUser();
    const home = new RootlessHome(await mkdtemp(join(tmpdir(), 'rootless-')), user);
    await chmod(home.dir, 0o755);
    await chown(home.dir, user.uid, user.gid);
    await mkdir(home.path('project'));
    await mkdir(home.path('locked'));
    await mkdir(home.path('run'), { mode: 0o700 });
    await chown(home.path('run'), user.uid, user.gid);
    spawnSync('touch', [home.path('node')]);
    if (existsSync('/dev/fuse')) {
      spawnSync('mknod', ['--mode=666', home.path('fuse'), 'c', '10', '229']);
    }
    return home;
  }

  private constructor(dir: string, user: User) {
    this.dir = dir;
    this.user = user;
  }

  path(...names: readonly string[]): string {
    return join(this.dir, ...names);
  }

  /** Where a daemon of the user's listens, unless told otherwise. */
  get socket(): string {
    return this.path('run/buildkit/buildkitd.sock');
  }

  /** A command line that runs `command` as the user; `node`, `buildctl` and `buildkitd` are the ones under test. */
  command(...command: readonly string[]): readonly [string, ...string[]] {
    return this.commandAs(this.user, ...command);
  }

  commandAs({ name, gid }: User, ...command: readonly string[]): readonly [string, ...string[]] {
    const env = {
      HOME: this.dir,
      USER: name,
      GROUP: String(gid),
      XDG_RUNTIME_DIR: this.path('run'),
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      BUNDLES: dirname(dirname(programs.buildkitd)),
      NODE: process.execPath,
    };
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const words = command.flatMap((word) => this.#meant(word));
    return ['env', '-i', ...variables, 'unshare', '--mount', 'sh', '-c', ENTER, 'sh', ...words];
  }

  /** Gives files to the user that root has written. */
  give(path: string): void {
    spawnSync('chown', ['-R', `${this.user.uid}:${this.user.gid}`, path]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }

  #meant(word: string): readonly string[] {
    if (word === 'node') return [this.path('node')];
    if (word === 'buildctl' || word === 'buildkitd')
      return [this.path('node'), this.path(`project/dist/${word}.js`)];
    return [word];
  }
}
