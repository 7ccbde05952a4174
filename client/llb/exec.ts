/**
 * A process in a tree. Mounts are ordered by target, which numbers the op's outputs: every mount that is neither
 * read-only, cache, tmpfs nor thrown away has one. BuildKit: client/llb/exec.go.
 */
import { BuildError } from '../../core/contracts/errors.js';
import { compareBytes } from '../../core/util/compare.js';
import { caps } from './caps.js';
import { type Constraints, constraints } from './constraints.js';
import { execCaps } from './exec-caps.js';
import { execMeta, mountMessage, networkModes, secretMessages, securityModes } from './exec-message.js';
import type { MountOptions, RunOptions } from './exec-options.js';
import { finishOp, NONE, type OpMessage } from './op-message.js';
import { resolveDir, type Settings, setEnv } from './settings.js';
import { splitShell } from './shlex.js';
import type { State } from './state.js';
import { InputList, type MarshalContext, type MarshalledOp, type Output, type Vertex } from './vertex.js';

/** A mount with its place in the op. */
export interface ExecMount extends MountOptions {
  readonly input: Output | undefined;
}

/** What steps on top of a run may use. */
export interface MountOutputs {
  readonly root: Output | undefined;
  at(target: string): Output | undefined;
}

export class ExecOp implements Vertex {
  readonly mounts: MountOutputs;
  readonly #args: readonly string[];
  readonly #settings: Settings;
  readonly #options: RunOptions;
  readonly #constraints: Constraints;
  readonly #mounts: readonly ExecMount[];

  constructor(base: State, options: RunOptions) {
    this.#args = options.args ?? splitShell(options.shlex ?? '');
    if (this.#args.length === 0) throw llbInvalid('a run needs arguments');
    this.#settings = runSettings(base, options);
    this.#options = options.ssh?.length ? { ...options, ssh: withTargets(options.ssh) } : options;
    this.#constraints = {
      ...constraints(options),
      platform: options.platform ?? base.settings.platform,
    };
    const root: ExecMount = { target: '/', input: base.output, readonly: options.readonlyRoot ?? false };
    const others = (options.mounts ?? []).map(execMount);
    this.#mounts = [root, ...others].sort((a, b) => compareBytes(a.target, b.target));
    this.mounts = this.#outputs(root, options);
  }

  #outputs(root: ExecMount, options: RunOptions): MountOutputs {
    const writable = this.#mounts.filter(hasOutput);
    const outputs = writable.map((_, index): Output => ({ vertex: this, index, platform: options.platform }));
    const outputOf = (mount: ExecMount): Output | undefined =>
      mount.readonly ? mount.input : outputs[writable.indexOf(mount)];
    return {
      root: outputOf(root),
      at: (target) => {
        const mount = this.#mounts.find((candidate) => candidate.target === target);
        if (!mount) throw llbInvalid(`the run has no mount at ${target}`);
        if (!mount.readonly && !hasOutput(mount))
          throw llbInvalid(`the mount at ${target} keeps nothing to build on`);
        return outputOf(mount);
      },
    };
  }

  inputs(): readonly Output[] {
    const inputs: Output[] = [];
    for (const { input } of this.#mounts) if (input && !inputs.includes(input)) inputs.push(input);
    return inputs;
  }

  marshal(context: MarshalContext): MarshalledOp {
    const settings = this.#settingsIn(context);
    const inputs = new InputList(context);
    let outputs = 0;
    const mounts = this.#mounts.map((mount) =>
      mountMessage(mount, mount.input ? inputs.add(mount.input) : NONE, hasOutput(mount) ? outputs++ : NONE),
    );
    const secrets = secretMessages(this.#options);
    const op: OpMessage = {
      inputs: inputs.messages,
      exec: {
        meta: execMeta(this.#args, settings, this.#options),
        mounts: [...mounts, ...secrets.mounts],
        network: networkModes[settings.network],
        security: securityModes[settings.security],
        secretenv: secrets.env,
        cdiDevices: (this.#options.devices ?? []).map(({ name, optional = false }) => ({ name, optional })),
      },
    };
    const recorded = execCaps(this.#mounts, settings, this.#options, context);
    return finishOp(op, this.#constraints, recorded, this.#constraints.platform ?? context.platform);
  }

  /** A daemon that sets a PATH where there is none is left to do so; to others it is given. */
  #settingsIn(context: MarshalContext): Settings {
    const ssh = this.#options.ssh?.[0];
    let env = this.#settings.env;
    if (ssh && !env.has('SSH_AUTH_SOCK')) env = setEnv(env, [['SSH_AUTH_SOCK', ssh.target ?? '']]);
    const setsPath = context.caps === undefined || context.caps.has(caps.execMetaSetsDefaultPath);
    const os = context.platform.os;
    if (!setsPath && os !== 'windows' && !env.has('PATH')) env = setEnv(env, [['PATH', DEFAULT_PATH]]);
    return { ...this.#settings, env };
  }
}

/** BuildKit: util/system/path.go. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function execMount(mount: MountOptions): ExecMount {
  const input = mount.source?.output;
  if (mount.tmpfs && input) throw llbInvalid(`the tmpfs at ${mount.target} cannot have a source`);
  return { ...mount, input };
}

const hasOutput = (mount: ExecMount): boolean =>
  !mount.readonly && !mount.noOutput && !mount.cache && !mount.tmpfs;

const withTargets = (ssh: NonNullable<RunOptions['ssh']>): NonNullable<RunOptions['ssh']> =>
  ssh.map((socket, index) => ({ ...socket, target: socket.target || `/run/buildkit/ssh_agent.${index}` }));

function runSettings({ settings }: State, options: RunOptions): Settings {
  const { env, cwd, user, hostname, network, security, cgroupParent, extraHosts, ulimits } = options;
  return {
    dir: cwd === undefined ? settings.dir : resolveDir(settings.dir, cwd),
    env: env ? setEnv(settings.env, Object.entries(env)) : settings.env,
    user: user ?? settings.user,
    hostname: hostname ?? settings.hostname,
    cgroupParent: cgroupParent ?? settings.cgroupParent,
    network: network ?? settings.network,
    security: security ?? settings.security,
    extraHosts: extraHosts?.length ? [...settings.extraHosts, ...extraHosts] : settings.extraHosts,
    ulimits: ulimits?.length ? [...settings.ulimits, ...ulimits] : settings.ulimits,
    platform: settings.platform,
  };
}

const llbInvalid = (message: string): BuildError =>
  new BuildError('llb.invalid', message, { grpcCode: 'InvalidArgument' });
