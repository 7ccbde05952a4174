/**
 * A worker that runs steps with `chroot` on plain folders: no runtime, no overlay, no isolation. Good for seeing what a
 * worker is made of, not for builds that you do not trust.
 *
 * Shows: the four ports of a worker (executor, snapshotter, differ, profile), start-up checks, killing on abort.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import {
  BuildError,
  canceled,
  Differs,
  definePlugin,
  Executors,
  LocalDiffer,
  PLUGIN_API,
  SkipPlugin,
  Snapshotters,
  unsupported,
  WorkerHome,
  WorkerProfiles,
} from 'buildkit-ts/contracts';
import { z } from 'zod';

const ID = 'chroot';

export default definePlugin({
  kind: 'worker',
  id: ID,
  api: PLUGIN_API,
  config: z.object({
    maxParallelism: z.int().min(0).default(2).describe('steps run at once; 0 = no limit'),
  }),
  register(bind, { maxParallelism }) {
    bind(Executors.named(ID)).toFactory([], () => new ChrootExecutor());
    bind(Snapshotters.named(ID)).toFactory(
      [WorkerHome],
      (home) => new FolderSnapshotter(join(home.dir(ID), 'snapshots')),
    );
    bind(Differs.named(ID)).toFactory([LocalDiffer], (differ) => differ);
    bind(WorkerProfiles.named(ID)).toValue({
      id: 'chroot-worker',
      labels: { 'org.mobyproject.buildkit.worker.executor': 'chroot' },
      platforms: [{ os: 'linux', architecture: arch() === 'x64' ? 'amd64' : arch() }],
      maxParallelism,
    });
  },
});

class ChrootExecutor {
  async start() {
    if (process.getuid() !== 0) throw new SkipPlugin('chroot needs root');
  }

  async run({ process: step, root, mounts, progress }, io, signal) {
    if (mounts.length > 0)
      throw unsupported('exec.mounts', 'the chroot worker has no mounts besides the root');
    if (step.user !== '') throw unsupported('exec.user', 'the chroot worker runs everything as root');
    const [tree] = await root.tree.mounts(progress, signal);
    const child = spawn(
      'chroot',
      [tree.source, '/bin/sh', '-c', 'cd "$0" && exec "$@"', step.cwd, ...step.args],
      {
        env: Object.fromEntries(
          step.env.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
        ),
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      },
    );
    const kill = () => process.kill(-child.pid, 'SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    child.stdout.on('data', (data) => io.stdout(data));
    child.stderr.on('data', (data) => io.stderr(data));
    const exitCode = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 137));
    });
    signal.removeEventListener('abort', kill);
    if (signal.aborted) throw canceled(signal.reason);
    return { exitCode, oomKilled: false };
  }
}

/** Every snapshot is a whole folder; a child begins as a copy of its parent. The name of a folder is its state. */
class FolderSnapshotter {
  name = 'folders';
  #dir;

  constructor(dir) {
    this.#dir = dir;
  }

  #path(kind, key) {
    return join(this.#dir, kind, encodeURIComponent(key));
  }

  async prepare(key, parent) {
    const target = this.#path('active', key);
    if (await exists(target)) return;
    const fresh = this.#path('new', key);
    await rm(fresh, { recursive: true, force: true });
    await mkdir(join(fresh, 'fs'), { recursive: true });
    if (parent !== undefined) {
      const options = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };
      await cp(join(this.#path('committed', parent), 'fs'), join(fresh, 'fs'), options);
    }
    await writeFile(join(fresh, 'parent'), parent ?? '');
    await mkdir(join(this.#dir, 'active'), { recursive: true });
    await rename(fresh, target);
  }

  async mounts(key) {
    const { kind } = (await this.stat(key)) ?? missing(key);
    const access = kind === 'active' ? 'rw' : 'ro';
    return [{ type: 'bind', source: join(this.#path(kind, key), 'fs'), options: ['rbind', access] }];
  }

  async commit(name, key) {
    await mkdir(join(this.#dir, 'committed'), { recursive: true });
    if (await exists(this.#path('committed', name))) return;
    await rename(this.#path('active', key), this.#path('committed', name));
  }

  async remove(key) {
    for (const kind of ['active', 'committed'])
      await rm(this.#path(kind, key), { recursive: true, force: true });
  }

  async stat(key) {
    for (const kind of ['active', 'committed']) {
      const parent = await readFile(join(this.#path(kind, key), 'parent'), 'utf8').catch(() => undefined);
      if (parent !== undefined) return { key, kind, parent: parent || undefined };
    }
    return undefined;
  }

  async usage(key, signal) {
    const { kind } = (await this.stat(key)) ?? missing(key);
    const root = join(this.#path(kind, key), 'fs');
    let bytes = 0;
    let inodes = 0;
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      signal.throwIfAborted();
      inodes++;
      if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
    }
    return { bytes, inodes };
  }

  async list() {
    const all = [];
    for (const kind of ['active', 'committed']) {
      for (const name of await readdir(join(this.#dir, kind)).catch(() => []))
        all.push(await this.stat(decodeURIComponent(name)));
    }
    return all;
  }
}

const exists = (path) =>
  stat(path).then(
    () => true,
    () => false,
  );

function missing(key) {
  throw new BuildError('snapshot.not-found', `there is no snapshot ${key}`, { grpcCode: 'NotFound' });
}
