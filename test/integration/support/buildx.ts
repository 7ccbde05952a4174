/** docker buildx with a builder on a daemon of ours, and nothing kept outside its folder. */
import { installBuildx, buildx as program } from '../../../scripts/lib/buildx.mjs';
import type { DaemonProcess } from './daemon.js';
import type { Ground } from './ground.js';
import { type Finished, type RunOptions, run, succeed } from './processes.js';

export class Buildx {
  readonly #env: Readonly<Record<string, string>>;

  private constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  /** Makes the builder, with the `remote` driver. */
  static async create(ground: Ground, daemon: DaemonProcess): Promise<Buildx> {
    installBuildx();
    const home = ground.path('buildx');
    const env = { BUILDX_CONFIG: home, DOCKER_CONFIG: home, HOME: home, BUILDX_BUILDER: 'ours' };
    await succeed(program, ['create', '--name', 'ours', '--driver', 'remote', daemon.address], { env });
    return new Buildx(env);
  }

  /** A command that must succeed. */
  succeed(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return succeed(program, args, { ...options, env: { ...this.#env, ...options.env } });
  }

  /** A command that may fail. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return run(program, args, { ...options, env: { ...this.#env, ...options.env } });
  }

  /** Builds a folder; progress is plain text on standard error. */
  build(folder: string, args: readonly string[]): Promise<Finished> {
    return this.succeed(['build', '--progress', 'plain', ...args, folder]);
  }
}
