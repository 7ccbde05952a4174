/** A containerd worker on a containerd of its own, with trees made of the host's static busybox. */
import fs from 'node:fs';
import path from 'node:path';
import type { Mountable } from '../../../core/contracts/executor.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { ThreadPool } from '../../../core/threads/thread-pool.js';
import { containerdConfig } from '../../../plugins/workers/containerd/config.js';
import { ContainerdWorker } from '../../../plugins/workers/containerd/containerd-worker.js';
import type { ExecutorFixture, FixtureTree } from '../../contract/executor.js';
import { makeBase, mountable } from '../runc/fixture.js';
import { PrivateContainerd } from './private-containerd.js';

export class ContainerdFixture implements ExecutorFixture {
  readonly server: PrivateContainerd;
  readonly worker: ContainerdWorker;
  readonly #threads: ThreadPool;
  #trees = 0;

  /** `bin`: a folder with the programs of the containerd to take. */
  static async open(bin?: string): Promise<ContainerdFixture> {
    const fixture = new ContainerdFixture(await PrivateContainerd.start(bin));
    makeBase(fixture.#base);
    await fixture.worker.start(new AbortController().signal);
    return fixture;
  }

  private constructor(server: PrivateContainerd) {
    this.server = server;
    this.#threads = new ThreadPool();
    this.worker = makeWorker(server, this.#threads);
  }

  get executor(): ContainerdWorker['executor'] {
    return this.worker.executor;
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
    await this.#threads[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }

  get #base(): string {
    return path.join(this.server.dir, 'base');
  }

  #fresh(...names: readonly string[]): string {
    const dir = path.join(this.server.dir, `tree-${++this.#trees}`);
    for (const name of names) fs.mkdirSync(path.join(dir, name), { recursive: true });
    return dir;
  }
}

export const makeWorker = (server: PrivateContainerd, threads: Threads): ContainerdWorker =>
  new ContainerdWorker({
    dir: path.join(server.dir, 'home'),
    config: containerdConfig.parse({ address: server.socket }),
    threads,
    logger: silentLogger,
  });
