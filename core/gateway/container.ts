/**
 * A container that a frontend made, outside of any step.
 *
 * 1. The first process is the container; those after it are run in it, and end with it.
 * 2. Disposing kills what runs, waits for that, and then drops the trees.
 *
 * BuildKit: frontend/gateway/container/container.go.
 */
import { BuildError, canceled, invalid } from '../contracts/errors.js';
import type {
  ExecIo,
  ExecSpec,
  ProcessSpec,
  RunningContainer,
  RunningProcess,
} from '../contracts/executor.js';
import type { ContainerProcess, GatewayContainer } from '../contracts/gateway-container.js';
import { silentProgress } from '../contracts/progress.js';
import type { ImmutableRef } from '../contracts/refs.js';
import type { SessionGroup } from '../contracts/session.js';
import type { Worker } from '../contracts/worker.js';
import { BroughtTrees } from '../llb/bring.js';
import type { ExecMountSpec } from '../llb/model.js';
import { PreparedMounts } from '../llb/ops/exec/mounts.js';
import { defaultPath } from '../llb/ops/exec/process.js';
import { secretEnv } from '../llb/ops/exec/secrets.js';
import { requireEntitlement } from '../llb/permissions.js';
import type { LlbServices } from '../llb/services.js';
import { newId } from '../util/identity.js';

export interface ContainerPlan {
  /** The frontend's own name for it. */
  readonly id: string;
  readonly worker: Worker;
  /** `input` is an index into `trees`. */
  readonly mounts: readonly ExecMountSpec[];
  readonly trees: readonly ImmutableRef[];
  readonly network: ProcessSpec['network'];
  readonly hostname: string;
  readonly extraHosts: ProcessSpec['extraHosts'];
}

export interface ContainerSetting {
  readonly services: LlbServices;
  readonly sessions: SessionGroup;
  readonly entitlements: ReadonlySet<string>;
}

export class BridgeContainer implements GatewayContainer {
  readonly #plan: ContainerPlan;
  readonly #setting: ContainerSetting;
  readonly #mounts: PreparedMounts;
  /** What the mounts are of, as far as other workers had it. */
  readonly #brought: BroughtTrees;
  readonly #released = new AbortController();
  readonly #ends = new Set<Promise<unknown>>();
  #first: Promise<RunningContainer> | undefined;

  private constructor(
    plan: ContainerPlan,
    setting: ContainerSetting,
    mounts: PreparedMounts,
    brought: BroughtTrees,
  ) {
    this.#plan = plan;
    this.#setting = setting;
    this.#mounts = mounts;
    this.#brought = brought;
  }

  static async open(
    plan: ContainerPlan,
    setting: ContainerSetting,
    signal: AbortSignal,
  ): Promise<BridgeContainer> {
    if (!plan.mounts.some(({ dest }) => dest === '/')) {
      throw invalid('gateway.container', `container ${plan.id} has no mount at /`);
    }
    if (plan.network === 'host') requireEntitlement('network.host', setting.entitlements);
    const owner = { meta: { args: ['container', plan.id], cwd: '/' }, mounts: plan.mounts };
    const context = { progress: silentProgress, sessions: setting.sessions, signal };
    const brought = await BroughtTrees.bring(plan.worker, plan.trees, silentProgress, signal);
    try {
      const mounts = await PreparedMounts.prepare(owner, brought.trees, plan, setting.services, context);
      return new BridgeContainer(plan, setting, mounts, brought);
    } catch (error) {
      await brought[Symbol.asyncDispose]();
      throw error;
    }
  }

  async start(process: ContainerProcess, io: ExecIo, signal: AbortSignal): Promise<RunningProcess> {
    if (process.security === 'insecure') {
      requireEntitlement('security.insecure', this.#setting.entitlements);
    }
    const until = AbortSignal.any([signal, this.#released.signal]);
    const env = await this.#env(process, until);
    const running = await this.#run(process, env, io, until);
    const ended = running.ended.catch(() => {}).finally(() => this.#ends.delete(ended));
    this.#ends.add(ended);
    return running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#released.abort(canceled());
    await this.#first?.catch(() => {});
    await Promise.all(this.#ends);
    await this.#mounts[Symbol.asyncDispose]();
    await this.#brought[Symbol.asyncDispose]();
  }

  async #run(
    process: ContainerProcess,
    env: readonly string[],
    io: ExecIo,
    signal: AbortSignal,
  ): Promise<RunningProcess> {
    const { args, cwd, user, tty } = { cwd: '', user: '', tty: false, ...process };
    if (!this.#first) {
      this.#first = this.#plan.worker.executor.begin(this.#spec(process, env), io, signal);
      return this.#first;
    }
    const container = await this.#first.catch((cause: unknown) => {
      throw new BuildError('gateway.container', `container ${this.#plan.id} could not be started`, { cause });
    });
    return container.exec({ args, env, cwd: cwd || '/', user, tty }, io, signal);
  }

  #spec(process: ContainerProcess, env: readonly string[]): ExecSpec {
    const { network, hostname, extraHosts } = this.#plan;
    return {
      id: newId(),
      process: {
        args: process.args,
        env,
        cwd: process.cwd || '/',
        user: process.user ?? '',
        tty: process.tty ?? false,
        hostname,
        network,
        security: process.security ?? 'sandbox',
        extraHosts,
        ulimits: [],
        cgroupParent: process.cgroupParent ?? '',
        resources: {},
        removeMountStubsRecursive: process.removeMountStubsRecursive ?? false,
      },
      root: this.#mounts.root,
      mounts: this.#mounts.mounts,
      progress: silentProgress,
    };
  }

  async #env(
    { env = [], tty, secretEnv: secrets = [] }: ContainerProcess,
    signal: AbortSignal,
  ): Promise<string[]> {
    const { services, sessions } = this.#setting;
    const missing = (name: string): boolean => !env.some((entry) => entry.startsWith(`${name}=`));
    return [
      ...env,
      ...(missing('PATH') ? [defaultPath] : []),
      ...(tty && missing('TERM') ? ['TERM=xterm'] : []),
      ...(await secretEnv(services.sessions, sessions, secrets, signal)),
    ];
  }
}
