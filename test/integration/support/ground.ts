/** What end-to-end tests stand on: a registry with a base image, and a folder, all of them of one test file only. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DisposeStack } from '../../../core/util/dispose.js';
import { pushBusybox } from '../../../scripts/lib/base-image.mjs';
import { type Registry, startRegistry } from '../../../scripts/lib/registry.mjs';
import { type DaemonOptions, DaemonProcess } from './daemon.js';
import { tempDir } from './paths.js';

export class Ground implements AsyncDisposable {
  readonly dir: string;
  readonly registry: Registry;
  /** A busybox image in the registry. */
  readonly base: string;
  readonly #owned: DisposeStack;

  private constructor(dir: string, registry: Registry, base: string, owned: DisposeStack) {
    this.dir = dir;
    this.registry = registry;
    this.base = base;
    this.#owned = owned;
  }

  static async open(name: string): Promise<Ground> {
    await using owned = new DisposeStack();
    const { path } = await owned.use(await tempDir(name));
    const registry = await startRegistry();
    await owned.defer(() => registry.stop());
    return new Ground(path, registry, await pushBusybox(registry.address), owned.move());
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

  /** A daemon with a home below the folder; disposed by who asked for it. */
  daemon(name: string, options: Omit<DaemonOptions, 'home'> = {}): Promise<DaemonProcess> {
    return DaemonProcess.start({ home: this.path(name), ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}
