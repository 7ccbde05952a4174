/** What end-to-end tests stand on: a registry with a base image, and a folder, all of them of one test file only. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DisposeStack } from '../../../core/util/dispose.js';
import { pushBusybox } from '../../../scripts/lib/base-image.mjs';
import { type Registry, startRegistry } from '../../../scripts/lib/registry.mjs';
import { type DaemonOptions, DaemonProcess } from './daemon.js';
import { tempDir } from './paths.js';
import type { WorkerKind, WorkerSite } from './workers.js';

export class Ground implements AsyncDisposable {
  readonly dir: string;
  readonly registry: Registry;
  /** A busybox image in the registry. */
  readonly base: string;
  /** Where daemons of the suite's worker run. */
  readonly site: WorkerSite;
  readonly #owned: DisposeStack;

  private constructor(dir: string, registry: Registry, base: string, site: WorkerSite, owned: DisposeStack) {
    this.dir = dir;
    this.registry = registry;
    this.base = base;
    this.site = site;
    this.#owned = owned;
  }

  /** Without a worker, daemons take whatever they find. */
  static async open(name: string, worker?: WorkerKind): Promise<Ground> {
    await using owned = new DisposeStack();
    const { path } = await owned.use(await tempDir(name));
    const registry = await startRegistry();
    await owned.defer(() => registry.stop());
    const site = await owned.use(worker ? await worker.open(path) : anyWorker(path));
    return new Ground(path, registry, await pushBusybox(registry.address), site, owned.move());
  }

  /** A path below the folder. */
  path(...names: readonly string[]): string {
    return join(this.dir, ...names);
  }

  /** Writes files, by path below the folder; answers the folder `name`. */
  async write(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    for (const [file, text] of Object.entries(files)) {
      const path = this.path(name, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    return this.path(name);
  }

  /** A daemon with a home of that name; disposed by who asked for it. */
  daemon(name: string, options: Omit<DaemonOptions, 'home'> = {}): Promise<DaemonProcess> {
    return this.site.start(name, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}

function anyWorker(folder: string): WorkerSite {
  const home = (name: string): string => join(folder, name);
  return {
    home,
    runtime: (path) => `binary = ${JSON.stringify(path)}\n`,
    start: (name, options) => DaemonProcess.start({ home: home(name), ...options }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
