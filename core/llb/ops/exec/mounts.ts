/**
 * The trees of an exec op. Which of them may be written and what becomes of them:
 *
 * | mount | tree | afterwards |
 * |---|---|---|
 * | bind, read-only, with input, not the root | the input itself | its output is the input again |
 * | any other bind | a new layer on the input | committed if it has an output, else thrown away |
 * | cache | the cache mount's own tree | kept; its output is the input |
 *
 * The root is always a layer of its own, also when it is read-only: mount points are made in it.
 * BuildKit: frontend/gateway/container/container.go PrepareMounts.
 */
import type { ExecMount, ExecSpec } from '../../../contracts/executor.js';
import type { ImmutableRef, MutableRef } from '../../../contracts/refs.js';
import type { OpContext } from '../../../solver/op.js';
import { compareBytes } from '../../../util/compare.js';
import { DisposeStack } from '../../../util/dispose.js';
import { joinPath } from '../../../util/gofs/path.js';
import type { ExecBody, ExecMountSpec } from '../../model.js';
import type { LlbServices } from '../../services.js';
import type { CacheMount } from '../cache-mount-slot.js';
import type { OpSetting } from '../setting.js';
import { openAgent, socketTree } from './agents.js';
import { readSecret } from './secrets.js';

type Tree = ImmutableRef | MutableRef;

/** Whose mounts they are: a step's, or those of a frontend's container. */
export interface MountsOwner {
  readonly meta: Pick<ExecBody['meta'], 'args' | 'cwd'>;
  readonly mounts: ExecBody['mounts'];
}
type MountsContext = Pick<OpContext, 'progress' | 'sessions' | 'signal'>;

/** Everything prepared; disposing drops what was not committed. */
export class PreparedMounts implements AsyncDisposable {
  readonly #held = new DisposeStack();
  readonly #body: MountsOwner;
  readonly #setting: Pick<OpSetting, 'worker'>;
  readonly #services: LlbServices;
  readonly #context: MountsContext;
  readonly #outputs = new Map<number, Tree | undefined>();
  /** Layers of its own, by mount. */
  readonly #layers = new Map<number, MutableRef>();
  /** One hold per cache mount: two mounts of a step with one id share it, also when it is locked. */
  readonly #caches = new Map<string, CacheMount>();
  readonly #mounts: ExecMount[] = [];
  #root: ExecSpec['root'] | undefined;

  private constructor(
    body: MountsOwner,
    setting: Pick<OpSetting, 'worker'>,
    services: LlbServices,
    context: MountsContext,
  ) {
    this.#body = body;
    this.#setting = setting;
    this.#services = services;
    this.#context = context;
  }

  static async prepare(
    body: MountsOwner,
    inputs: readonly (ImmutableRef | undefined)[],
    setting: Pick<OpSetting, 'worker'>,
    services: LlbServices,
    context: MountsContext,
  ): Promise<PreparedMounts> {
    const prepared = new PreparedMounts(body, setting, services, context);
    try {
      for (const i of body.mounts.keys()) await prepared.#add(i, inputs);
      return prepared;
    } catch (error) {
      await prepared[Symbol.asyncDispose]();
      throw error;
    }
  }

  get root(): ExecSpec['root'] {
    if (!this.#root) throw new Error('an exec op without root was let through');
    return this.#root;
  }

  /** Parents before what lies in them. */
  get mounts(): readonly ExecMount[] {
    return [...this.#mounts].sort((a, b) => compareBytes(a.dest, b.dest));
  }

  /** The results by output index. They are the caller's; on failure none is left behind. */
  async commit(): Promise<readonly (ImmutableRef | undefined)[]> {
    const results = new DisposeStack();
    try {
      const committed: (ImmutableRef | undefined)[] = [];
      for (const [output, tree] of this.#outputs) {
        const ref = tree?.mutable ? await tree.commit() : tree?.clone();
        committed[output] = ref && (await results.use(ref));
      }
      results.move();
      return committed;
    } finally {
      await results[Symbol.asyncDispose]();
    }
  }

  /** What a step that failed left behind, by mount, for whoever looks into it. They are the caller's. */
  async commitFailed(): Promise<ReadonlyMap<number, ImmutableRef>> {
    const trees = new Map<number, ImmutableRef>();
    for (const [index, layer] of this.#layers) trees.set(index, await layer.commit());
    return trees;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held[Symbol.asyncDispose]();
  }

  async #add(index: number, inputs: readonly (ImmutableRef | undefined)[]): Promise<void> {
    this.#context.signal.throwIfAborted();
    const mount = this.#body.mounts[index]!;
    const input = inputs[mount.input];
    const dest = joinPath('/', mount.dest.startsWith('/') ? '' : this.#body.meta.cwd, mount.dest);
    switch (mount.type) {
      case 'bind':
        return this.#addBind(index, dest, input);
      case 'cache':
        return this.#addCache(mount, dest, input);
      case 'tmpfs': {
        const sizeBytes = Number(mount.tmpfs?.size ?? 0);
        this.#mounts.push({ kind: 'tmpfs', dest, ...(sizeBytes > 0 ? { sizeBytes } : {}) });
        return;
      }
      case 'secret':
        return this.#addSecret(mount, dest);
      case 'ssh':
        return this.#addAgent(mount, dest);
    }
  }

  async #addBind(index: number, dest: string, input: ImmutableRef | undefined): Promise<void> {
    const mount = this.#body.mounts[index]!;
    const isRoot = mount.dest === '/';
    const tree = input && mount.readonly && !isRoot ? input : await this.#newLayer(mount, input);
    if (tree.mutable) this.#layers.set(index, tree);
    if (mount.output !== -1) this.#outputs.set(mount.output, tree);
    if (isRoot) this.#root = { tree, readonly: mount.readonly };
    else this.#pushTree(mount, dest, tree);
  }

  async #newLayer(mount: ExecMountSpec, input: ImmutableRef | undefined): Promise<MutableRef> {
    const description = `mount ${mount.dest} from exec ${this.#body.meta.args.join(' ')}`;
    const { progress, signal } = this.#context;
    return this.#held.use(await this.#setting.worker.refs.create(input, { description }, progress, signal));
  }

  async #addCache(mount: ExecMountSpec, dest: string, base: ImmutableRef | undefined): Promise<void> {
    const { id, sharing } = mount.cache ?? { id: '', sharing: 'shared' };
    const key = `${id}\0${base?.id}`;
    let held = this.#caches.get(key);
    if (!held) {
      const from = `cached mount ${mount.dest} from exec ${this.#body.meta.args.join(' ')}`;
      const description = id === mount.dest ? from : `${from} with id "${id}"`;
      const { progress, signal, sessions } = this.#context;
      const request = { id: id || mount.dest, sharing, base, description, sessions };
      held = await this.#held.use(
        await this.#services.cacheMounts.acquire(this.#setting.worker, request, progress, signal),
      );
      this.#caches.set(key, held);
    }
    if (mount.output !== -1) this.#outputs.set(mount.output, base);
    this.#pushTree(mount, dest, held.ref);
  }

  #pushTree({ selector, readonly }: ExecMountSpec, dest: string, tree: Tree): void {
    this.#mounts.push({ kind: 'tree', dest, tree, selector, readonly });
  }

  async #addAgent({ ssh }: ExecMountSpec, dest: string): Promise<void> {
    if (!ssh) return;
    const socket = await openAgent(this.#services, ssh, this.#context);
    if (!socket) return;
    const tree = socketTree(await this.#held.use(socket));
    this.#mounts.push({ kind: 'tree', dest, tree, selector: '', readonly: false });
  }

  async #addSecret({ secret }: ExecMountSpec, dest: string): Promise<void> {
    if (!secret) return;
    const { sessions, signal } = this.#context;
    const data = await readSecret(this.#services.sessions, sessions, secret, signal);
    if (!data) return;
    const { uid, gid, mode } = secret;
    this.#mounts.push({ kind: 'file', dest, data, uid, gid, mode: mode & 0o777 });
  }
}
