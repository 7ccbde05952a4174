/** A runc worker on trees made of the host's static busybox. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Mountable } from '../../../core/contracts/executor.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { Mount } from '../../../core/contracts/mount.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { MemoryKv } from '../../../core/kv/memory-kv.js';
import { ThreadPool } from '../../../core/threads/thread-pool.js';
import { runcConfig } from '../../../plugins/workers/runc/config.js';
import { LateSnapshotter } from '../../../plugins/workers/runc/late-snapshotter.js';
import { RuncWorker } from '../../../plugins/workers/runc/runc-worker.js';
import { NativeSnapshotter } from '../../../plugins/workers/shared/snapshotters/native-snapshotter.js';
import type { ExecutorFixture, FixtureTree } from '../../contract/executor.js';

const BUSYBOX = '/bin/busybox';

/** Why these tests cannot run here, if so. */
export function whyNot(runtime: string): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!fs.existsSync(BUSYBOX)) return 'needs busybox-static';
  const dirs = (process.env.PATH ?? '').split(':').concat('/usr/sbin', '/usr/bin');
  return dirs.some((dir) => fs.existsSync(path.join(dir, runtime))) ? undefined : `needs ${runtime}`;
}

export class RuncFixture implements ExecutorFixture {
  readonly dir: string;
  readonly worker: RuncWorker;
  readonly threads: ThreadPool;
  #trees = 0;

  static async open(binary: string, config: RuncConfigInput = {}): Promise<RuncFixture> {
    const fixture = new RuncFixture(binary, config);
    await fixture.worker.start(new AbortController().signal);
    return fixture;
  }

  private constructor(binary: string, config: RuncConfigInput) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'runc-test-'));
    this.threads = new ThreadPool();
    this.worker = makeWorker(path.join(this.dir, 'home'), binary, this.threads, config);
    makeBase(this.#base);
  }

  get executor(): RuncWorker['executor'] {
    return this.worker.executor;
  }

  get home(): string {
    return path.join(this.dir, 'home');
  }

  base(): Mountable {
    return mountable({ type: 'bind', source: this.#base, options: ['ro', 'rbind'] });
  }

  root(): FixtureTree {
    const dir = this.#fresh('upper', 'work');
    const written = path.join(dir, 'upper');
    const options = [`lowerdir=${this.#base}`, `upperdir=${written}`, `workdir=${path.join(dir, 'work')}`];
    return { tree: mountable({ type: 'overlay', source: 'overlay', options }), written };
  }

  folder(): FixtureTree {
    const written = path.join(this.#fresh('tree'), 'tree');
    return { tree: mountable({ type: 'bind', source: written, options: ['rw', 'rbind'] }), written };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker[Symbol.asyncDispose]();
    await this.threads[Symbol.asyncDispose]();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  get #base(): string {
    return path.join(this.dir, 'base');
  }

  #fresh(...names: readonly string[]): string {
    const dir = path.join(this.dir, `tree-${++this.#trees}`);
    for (const name of names) fs.mkdirSync(path.join(dir, name), { recursive: true });
    return dir;
  }
}

export type RuncConfigInput = Partial<ReturnType<typeof runcConfig.parse>>;

export function makeWorker(
  dir: string,
  binary: string,
  threads: Threads,
  config: RuncConfigInput = {},
): RuncWorker {
  fs.mkdirSync(dir, { recursive: true });
  const snapshots = { dir: path.join(dir, 'snapshots'), id: 'runc', kv: new MemoryKv(), threads };
  return new RuncWorker({
    dir,
    config: runcConfig.parse({ binary, ...config }),
    threads,
    logger: silentLogger,
    snapshotter: new LateSnapshotter(() => NativeSnapshotter.open(snapshots)),
  });
}

export const mountable = (mount: Mount): Mountable => ({ mounts: () => Promise.resolve([mount]) });

export function makeBase(dir: string): void {
  for (const name of ['bin', 'etc', 'mnt', 'proc', 'sys', 'dev', 'tmp']) {
    fs.mkdirSync(path.join(dir, name), { recursive: true });
  }
  fs.copyFileSync(BUSYBOX, path.join(dir, 'bin/busybox'));
  for (const applet of execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (applet !== 'busybox') fs.symlinkSync('busybox', path.join(dir, 'bin', applet));
  }
  const passwd = [
    'root:x:0:0:root:/root:/bin/sh',
    'daemon:x:1:1::/:/bin/false',
    'alice:x:1000:1000::/home/alice:/bin/sh',
  ];
  fs.writeFileSync(path.join(dir, 'etc/passwd'), `${passwd.join('\n')}\n`);
  fs.writeFileSync(path.join(dir, 'etc/group'), 'root:x:0:\ndaemon:x:1:\nstaff:x:50:alice\nalice:x:1000:\n');
}
