/** Refs on plain directories, for tests of what works on trees. Nothing is counted or committed. */
import type { LayerStack, Mount } from '../../core/contracts/mount.js';
import type { ImmutableRef, MutableRef, RefMetadata } from '../../core/contracts/refs.js';

let next = 0;

class MapMetadata implements RefMetadata {
  readonly #values = new Map<string, Uint8Array>();

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  async set(key: string, value: Uint8Array | undefined): Promise<void> {
    if (value) this.#values.set(key, value);
    else this.#values.delete(key);
  }
}

const base = (layers: readonly string[], writable: boolean) => ({
  id: `dir-ref-${next++}`,
  workerId: 'worker',
  metadata: new MapMetadata() as RefMetadata,
  view: async (): Promise<LayerStack> => ({ layers, writable }),
  mounts: async (): Promise<readonly Mount[]> => mountsOf(layers),
  [Symbol.asyncDispose]: async () => {},
});

export const dirRef = (...layers: readonly string[]): ImmutableRef => {
  const ref: ImmutableRef = {
    ...base(layers, false),
    mutable: false,
    lazy: false,
    clone: () => ref,
    layers: () => Promise.reject(new Error('not in this test')),
  };
  return ref;
};

export const writableDirRef = (...layers: readonly string[]): MutableRef => ({
  ...base(layers, true),
  mutable: true,
  commit: () => Promise.reject(new Error('not in this test')),
  pack: () => Promise.reject(new Error('not in this test')),
  retain: async () => {},
});

/** As a snapshotter would mount committed layers, topmost first. */
export function mountsOf(layers: readonly string[]): readonly Mount[] {
  if (layers.length === 0) return [];
  if (layers.length === 1) return [{ type: 'bind', source: layers[0]!, options: ['ro', 'rbind'] }];
  return [{ type: 'overlay', source: 'overlay', options: [`lowerdir=${layers.join(':')}`] }];
}
