/** The containers of one frontend, by the ids it gave them. They go when it does. */
import { type gateway, pb } from '../../proto/index.js';
import { BuildError, notFound } from '../contracts/errors.js';
import type { ImmutableRef } from '../contracts/refs.js';
import type { Worker } from '../contracts/worker.js';
import { decodeMount } from '../llb/decode/exec.js';
import { named } from '../llb/decode/fields.js';
import { decodePlatform } from '../llb/decode/op.js';
import { networkModes } from '../llb/model.js';
import { chooseWorker } from '../llb/worker-choice.js';
import { BridgeContainer, type ContainerPlan, type ContainerSetting } from './container.js';

export interface ContainersOptions extends ContainerSetting {
  /** The tree of a ref that was handed out, or of a failed step. */
  readonly findTree: (id: string, signal: AbortSignal) => Promise<ImmutableRef | undefined>;
}

export class Containers implements AsyncDisposable {
  readonly #options: ContainersOptions;
  readonly #byId = new Map<string, Promise<BridgeContainer>>();
  #closed = false;

  constructor(options: ContainersOptions) {
    this.#options = options;
  }

  async create(request: gateway.NewContainerRequest, signal: AbortSignal): Promise<BridgeContainer> {
    const id = request.ContainerID;
    if (this.#closed) throw new BuildError('gateway.container', 'the build is over');
    if (this.#byId.has(id)) {
      throw new BuildError('gateway.container', `Container ${id} already exists`, {
        grpcCode: 'AlreadyExists',
      });
    }
    const opening = this.#open(request, signal);
    this.#byId.set(id, opening);
    try {
      return await opening;
    } catch (error) {
      this.#byId.delete(id);
      throw error;
    }
  }

  find(id: string): Promise<BridgeContainer> {
    const found = this.#byId.get(id);
    if (found) return found;
    throw notFound('gateway.container', `container "${id}" previously released or not created`);
  }

  async release(id: string): Promise<void> {
    const found = this.#byId.get(id);
    if (!found) throw notFound('gateway.container', `container details for ${id} not found`);
    this.#byId.delete(id);
    await (await found)[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const all = [...this.#byId.values()];
    this.#byId.clear();
    await Promise.all(
      all.map(async (opening) => {
        const container = await opening.catch(() => undefined);
        await container?.[Symbol.asyncDispose]();
      }),
    );
  }

  async #open(request: gateway.NewContainerRequest, signal: AbortSignal): Promise<BridgeContainer> {
    return BridgeContainer.open(await this.#plan(request, signal), this.#options, signal);
  }

  async #plan(request: gateway.NewContainerRequest, signal: AbortSignal): Promise<ContainerPlan> {
    const trees: ImmutableRef[] = [];
    const mounts: ContainerPlan['mounts'][number][] = [];
    for (const [i, mount] of request.Mounts.entries()) {
      const tree = mount.resultID === '' ? undefined : await this.#tree(mount, signal);
      if (tree) trees.push(tree);
      const input = tree ? trees.length - 1 : -1;
      // Whatever a mount would put out is dropped.
      mounts.push(
        decodeMount(pb.Mount.create({ ...mount, input, output: -1 }), trees.length, `Mounts[${i}]`),
      );
    }
    return {
      id: request.ContainerID,
      worker: this.#worker(request, trees),
      mounts,
      trees,
      network: named(networkModes, request.Network, 'Network'),
      hostname: request.hostname,
      extraHosts: request.extraHosts.map(({ Host, IP }) => ({ host: Host, ip: IP })),
    };
  }

  async #tree({ resultID, dest }: pb.Mount, signal: AbortSignal): Promise<ImmutableRef | undefined> {
    try {
      return await this.#options.findTree(resultID, signal);
    } catch (error) {
      const known = BuildError.from(error);
      // A step that fails now is told as it is.
      if (known.code !== 'gateway.no-such-ref') throw known;
      throw known.wrap(`failed to find ref ${resultID} for "${dest}" mount`);
    }
  }

  /** Unless the frontend asks for another one, that on which its first tree is. */
  #worker({ constraints, platform }: gateway.NewContainerRequest, [first]: readonly ImmutableRef[]): Worker {
    const { workers } = this.#options.services;
    const filters = constraints?.filter ?? [];
    const here = filters.length === 0 && first ? workers.get(first.workerId) : undefined;
    return here ?? chooseWorker(workers, filters, platform ? decodePlatform(platform) : undefined);
  }
}
