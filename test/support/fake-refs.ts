/**
 * A ref store in memory. A tree is a map of path to text; handles are counted, so that a test can say that
 * nothing is left over.
 */
import { notFound } from '../../core/contracts/errors.js';
import type { Progress } from '../../core/contracts/progress.js';
import type {
  ImmutableRef,
  LazyLayer,
  MutableRef,
  RefLayers,
  RefOptions,
  RefStore,
} from '../../core/contracts/refs.js';
import { collect } from '../../core/util/chunks.js';
import { sha256 } from '../../core/util/digest.js';
import { mediaTypes } from '../../core/util/media-types.js';

export type FakeTree = Map<string, string>;

export class FakeRefs implements RefStore {
  readonly created: {
    readonly id: string;
    readonly parent: string | undefined;
    readonly options: RefOptions;
  }[] = [];
  readonly #handles = new Set<object>();
  /** Layers that are read when something stands on them. */
  readonly #lazy = new Map<string, readonly LazyLayer[]>();
  readonly #trees = new Map<string, FakeTree>();
  readonly #retained = new Map<string, { readonly index: string | undefined; free: boolean }>();
  readonly #workerId: string;
  #next = 0;

  constructor(workerId = 'worker') {
    this.#workerId = workerId;
  }

  /** Handles nobody disposed yet. */
  get live(): number {
    return this.#handles.size;
  }

  tree(ref: { readonly id: string } | undefined): FakeTree {
    const tree = ref ? this.#trees.get(ref.id) : new Map<string, string>();
    if (!tree) throw notFound('ref.not-found', `no ref ${ref?.id}`);
    return tree;
  }

  /** An immutable ref on a tree. */
  make(files: Readonly<Record<string, string>>, id = `ref${this.#next++}`): ImmutableRef {
    this.#trees.set(id, new Map(Object.entries(files)));
    return this.#immutable(id);
  }

  async create(
    parent: ImmutableRef | undefined,
    options: RefOptions,
    _progress?: Progress,
    signal?: AbortSignal,
  ): Promise<MutableRef> {
    await this.#bring(parent, signal);
    const id = `ref${this.#next++}`;
    this.created.push({ id, parent: parent?.id, options });
    this.#trees.set(id, new Map(this.tree(parent)));
    return this.#mutable(id, options.index);
  }

  has(id: string): boolean {
    return this.#trees.has(id);
  }

  async get(id: string): Promise<ImmutableRef> {
    this.tree({ id });
    return this.#immutable(id);
  }

  /** Those with a handle are used. */
  async removeUnused(ids: readonly string[]): Promise<void> {
    const used = new Set([...this.#handles].map((handle) => (handle as { readonly id: string }).id));
    for (const id of ids) if (!used.has(id)) this.#trees.delete(id);
  }

  mutableIndexes(prefix: string): readonly string[] {
    const indexes = [...this.#retained.values()].flatMap(({ index }) => index ?? []);
    return [...new Set(indexes)].filter((index) => index.startsWith(prefix));
  }

  async findMutable(index: string): Promise<MutableRef | undefined> {
    const found = [...this.#retained].find(([, record]) => record.index === index && record.free);
    if (!found) return undefined;
    this.#retained.delete(found[0]);
    return this.#mutable(found[0], index);
  }

  #immutable(id: string): ImmutableRef {
    const handle = {
      ...this.#base(id),
      mutable: false as const,
      lazy: false,
      clone: () => this.#immutable(id),
      layers: async () => fakeLayers([...this.tree({ id })]),
    };
    return this.#track(handle, () => {});
  }

  #mutable(id: string, index: string | undefined): MutableRef {
    let spent = false;
    const handle = {
      ...this.#base(id),
      mutable: true as const,
      commit: async () => {
        // As a real commit: it takes a while, and the handle must still be open then.
        await new Promise((resolve) => setImmediate(resolve));
        if (!this.#handles.has(tracked)) throw new Error(`ref ${id} was disposed while it was committed`);
        spent = true;
        this.#handles.delete(tracked);
        return this.#immutable(id);
      },
      pack: async (on: ImmutableRef | undefined) => {
        const below = this.tree(on);
        return fakeLayers([...this.tree({ id })].filter(([path, text]) => below.get(path) !== text));
      },
      retain: async () => {
        this.#retained.set(id, { index, free: false });
      },
    };
    const tracked = this.#track(handle, () => {
      if (spent) return;
      const record = this.#retained.get(id);
      if (record) record.free = true;
      else this.#trees.delete(id);
    });
    return tracked;
  }

  #track<T extends object>(handle: T, release: () => void): T & AsyncDisposable {
    const tracked = {
      ...handle,
      [Symbol.asyncDispose]: async () => {
        if (this.#handles.delete(tracked)) release();
      },
    };
    this.#handles.add(tracked);
    return tracked;
  }

  #base(id: string): {
    id: string;
    workerId: string;
    metadata: ImmutableRef['metadata'];
    mounts: never;
    view: never;
  } {
    return {
      id,
      workerId: this.#workerId,
      metadata: { get: () => undefined, set: async () => {} },
      mounts: unused as never,
      view: unused as never,
    };
  }

  readonly diffs: { readonly lower: string | undefined; readonly upper: string | undefined }[] = [];

  async fromLayers(layers: readonly LazyLayer[]): Promise<ImmutableRef | undefined> {
    if (layers.length === 0) return undefined;
    const ref = this.make({});
    this.#lazy.set(ref.id, layers);
    return ref;
  }

  async #bring(ref: ImmutableRef | undefined, signal = new AbortController().signal): Promise<void> {
    const tree = this.tree(ref);
    for (const { descriptor, provider } of (ref && this.#lazy.get(ref.id)) ?? []) {
      const data = await collect(provider.read(descriptor, {}, signal));
      for (const [path, text] of JSON.parse(Buffer.from(data).toString()) as [string, string][])
        tree.set(path, text);
    }
  }

  async merge(inputs: readonly (ImmutableRef | undefined)[]): Promise<ImmutableRef | undefined> {
    for (const input of inputs) await this.#bring(input);
    return this.make(Object.fromEntries(inputs.flatMap((input) => [...this.tree(input)])));
  }

  async diff(
    lower: ImmutableRef | undefined,
    upper: ImmutableRef | undefined,
  ): Promise<ImmutableRef | undefined> {
    this.diffs.push({ lower: lower?.id, upper: upper?.id });
    const below = this.tree(lower);
    return this.make(Object.fromEntries([...this.tree(upper)].filter(([path]) => !below.has(path))));
  }

  offerLayers = unused;
  isObtainable = unused;
  find = unused;
  usage = unused;
  prune = unused;
  collect = unused;
  planPrune = unused;
  hold = unused;
  release = unused;
}

/** A layer whose bytes are the entries. */
export function fakeLayers(entries: readonly (readonly [path: string, text: string])[]): RefLayers {
  const data = Buffer.from(JSON.stringify(entries));
  const digest = sha256(data);
  const descriptor = { mediaType: mediaTypes.ociLayer, digest, size: data.length };
  return {
    layers: [{ descriptor, diffId: digest, createdAt: 0, description: '' }],
    provider: {
      async *read() {
        yield data;
      },
    },
  };
}

function unused(): never {
  throw new Error('a test called what its fake does not do');
}
