/** Refs without snapshots: a layer is a name, its metadata lives in memory. */
import type { ContentProvider } from '../../core/contracts/content.js';
import type {
  ImmutableRef,
  LazyLayer,
  MutableRef,
  RefLayer,
  RefMetadata,
  RefOptions,
  RefStore,
} from '../../core/contracts/refs.js';
import type { Worker } from '../../core/contracts/worker.js';

export interface RecordedLayer {
  readonly id: string;
  readonly dir: string;
  readonly options: RefOptions;
  readonly metadata: Map<string, Uint8Array>;
  committed: boolean;
}

/** Counts the handles that are out: a test that leaks one sees it. */
export class RecordedRefs {
  readonly records: RecordedLayer[] = [];
  readonly fromLayers: { readonly layers: readonly LazyLayer[]; readonly options: RefOptions }[] = [];
  readonly offered: (readonly LazyLayer[])[] = [];
  /** What was to be removed; nothing goes. */
  readonly removed: (readonly string[])[] = [];
  handles = 0;

  get worker(): Worker {
    const missing = (): never => {
      throw new Error('not part of this fake');
    };
    const refs: RefStore = {
      create: async (_parent, options) => this.#mutable(options),
      fromLayers: async (layers, options) => {
        this.fromLayers.push({ layers, options });
        return layers.length === 0 ? undefined : fakeRef({ id: 'pulled', refs: this });
      },
      merge: missing,
      diff: missing,
      offerLayers: (layers) => void this.offered.push(layers),
      get: missing,
      has: missing,
      isObtainable: missing,
      find: async (index) =>
        this.records
          .filter((record) => record.committed && record.options.index === index)
          .reverse()
          .map((record) => this.#immutable(record)),
      findMutable: missing,
      mutableIndexes: () => [],
      usage: missing,
      prune: missing,
      collect: missing,
      planPrune: missing,
      removeUnused: async (ids) => void this.removed.push(ids),
      hold: missing,
      release: missing,
    };
    return { refs } as unknown as Worker;
  }

  #mutable(options: RefOptions): MutableRef {
    const id = `ref${this.records.length + 1}`;
    const record: RecordedLayer = {
      id,
      dir: `/layers/${id}`,
      options,
      metadata: new Map(),
      committed: false,
    };
    this.records.push(record);
    this.handles++;
    let spent = false;
    const spend = (): void => {
      if (!spent) this.handles--;
      spent = true;
    };
    return {
      mutable: true,
      id,
      workerId: 'fake',
      metadata: metadataOf(record),
      mounts: async () => [],
      view: async () => ({ layers: [record.dir], writable: true }),
      commit: async () => {
        record.committed = true;
        spend();
        return this.#immutable(record);
      },
      pack: async () => ({ layers: [], provider: { read: noBytes } }),
      retain: async () => undefined,
      [Symbol.asyncDispose]: async () => spend(),
    };
  }

  #immutable(record: RecordedLayer): ImmutableRef {
    return fakeRef({ id: record.id, layers: [record.dir], metadata: metadataOf(record), refs: this });
  }
}

const metadataOf = ({ metadata }: RecordedLayer): RefMetadata => ({
  get: (key) => metadata.get(key),
  set: async (key, value) => {
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  },
});

export interface FakeRefParts {
  readonly id?: string;
  /** Directories, topmost first. */
  readonly layers?: readonly string[];
  readonly metadata?: RefMetadata;
  readonly imageLayers?: readonly RefLayer[];
  readonly provider?: ContentProvider;
  readonly refs?: RecordedRefs;
}

export function fakeRef(parts: FakeRefParts = {}): ImmutableRef {
  const { refs, provider = { read: noBytes } } = parts;
  if (refs) refs.handles++;
  let disposed = false;
  return {
    mutable: false,
    id: parts.id ?? 'ref',
    workerId: 'fake',
    metadata: parts.metadata ?? { get: () => undefined, set: async () => undefined },
    lazy: false,
    clone: () => fakeRef(parts),
    mounts: async () => [],
    view: async () => ({ layers: parts.layers ?? [], writable: false }),
    layers: async () => ({ layers: parts.imageLayers ?? [], provider }),
    [Symbol.asyncDispose]: async () => {
      if (refs && !disposed) refs.handles--;
      disposed = true;
    },
  };
}

async function* noBytes(): AsyncIterable<Uint8Array> {}
