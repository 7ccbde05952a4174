import type { Platform } from '../../core/util/platform.js';
import type { ConstraintOptions } from './constraints.js';
import { constraints } from './constraints.js';
import { ExecOp, type MountOutputs } from './exec.js';
import type { RunOptions } from './exec-options.js';
import { FileOp } from './file.js';
import type { FileAction } from './file-action.js';
import {
  defaultSettings,
  type HostIp,
  type NetworkMode,
  resolveDir,
  type SecurityMode,
  type Settings,
  setEnv,
  settingsOn,
  type Ulimit,
} from './settings.js';
import type { Output } from './vertex.js';

/**
 * A tree that some step will produce, and the settings for steps on top of it. States never change: every method
 * answers a new one. A state without output is the empty tree.
 *
 * ```ts
 * const made = image('docker.io/library/busybox')
 *   .dir('/src')
 *   .run({ shlex: 'make', mounts: [{ target: '/src', source: local('context') }] })
 *   .root();
 * ```
 */
export class State {
  readonly output: Output | undefined;
  readonly settings: Settings;

  constructor(output: Output | undefined, settings = settingsOn(defaultSettings, output?.platform)) {
    this.output = output;
    this.settings = settings;
  }

  /** Another tree with the same settings, but for the platform if it has one of its own. */
  withOutput(output: Output | undefined): State {
    return new State(output, settingsOn(this.settings, output?.platform));
  }

  #with(changes: Partial<Settings>): State {
    return new State(this.output, { ...this.settings, ...changes });
  }

  /** The same tree with the settings of another state. */
  reset(settingsOf: State): State {
    return new State(this.output, settingsOf.settings);
  }

  /** Applies functions one after the other: for steps that are used in several places. */
  with(...changes: readonly ((state: State) => State)[]): State {
    return changes.reduce<State>((state, change) => change(state), this);
  }

  /** Sets the working directory; a relative one starts from the present one. */
  dir(dir: string): State {
    return this.#with({ dir: resolveDir(this.settings.dir, dir) });
  }

  env(key: string, value: string): State {
    return this.envs([[key, value]]);
  }

  /** Sets several variables, one after the other. */
  envs(variables: Iterable<readonly [key: string, value: string]>): State {
    return this.#with({ env: setEnv(this.settings.env, variables) });
  }

  user(user: string): State {
    return this.#with({ user });
  }

  hostname(hostname: string): State {
    return this.#with({ hostname });
  }

  cgroupParent(cgroupParent: string): State {
    return this.#with({ cgroupParent });
  }

  network(network: NetworkMode): State {
    return this.#with({ network });
  }

  security(security: SecurityMode): State {
    return this.#with({ security });
  }

  platform(platform: Platform): State {
    return this.#with(settingsOn(this.settings, platform));
  }

  extraHost(...hosts: readonly HostIp[]): State {
    return this.#with({ extraHosts: [...this.settings.extraHosts, ...hosts] });
  }

  ulimit(...ulimits: readonly Ulimit[]): State {
    return this.#with({ ulimits: [...this.settings.ulimits, ...ulimits] });
  }

  /** Takes over environment, working directory and platform of an image config (OCI JSON). */
  withImageConfig(config: Uint8Array | string): State {
    const image = JSON.parse(
      typeof config === 'string' ? config : Buffer.from(config).toString(),
    ) as ImageConfig;
    const env = (image.config?.Env ?? []).map(splitEnv).filter(([key]) => key !== '');
    const state = this.#with({ env: setEnv(this.settings.env, env) }).dir(image.config?.WorkingDir ?? '');
    if (!image.os || !image.architecture) return state;
    return state.platform({
      os: image.os,
      architecture: image.architecture,
      ...(image.variant ? { variant: image.variant } : {}),
      ...(image['os.version'] ? { osVersion: image['os.version'] } : {}),
      ...(image['os.features'] ? { osFeatures: image['os.features'] } : {}),
    });
  }

  /** Runs a process in this tree. */
  run(options: RunOptions): ExecState {
    const op = new ExecOp(this, options);
    return new ExecState(this.withOutput(op.mounts.root), op.mounts);
  }

  /** Applies file actions to this tree, without running anything. */
  file(action: FileAction, options: ConstraintOptions = {}): State {
    return this.withOutput(new FileOp(this, action, constraints(options)).output);
  }
}

/** What a run leaves behind: its root, and every mount that it could write to. */
export class ExecState {
  readonly #root: State;
  readonly #mounts: MountOutputs;

  constructor(root: State, mounts: MountOutputs) {
    this.#root = root;
    this.#mounts = mounts;
  }

  root(): State {
    return this.#root;
  }

  /** The tree mounted at `target`, as the run left it. */
  getMount(target: string): State {
    return new State(this.#mounts.at(target));
  }
}

interface ImageConfig {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
  readonly config?: { readonly Env?: readonly string[] | null; readonly WorkingDir?: string };
}

function splitEnv(text: string): [key: string, value: string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}
