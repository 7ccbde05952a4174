/**
 * Cache mounts that builds have imported, by the session of each build. They are a help, never a must: a tree that
 * cannot be had from there begins empty, and its step says so.
 */
import type { CacheMountLayers } from '../../contracts/cache.js';
import { BuildError } from '../../contracts/errors.js';
import type { Progress } from '../../contracts/progress.js';
import {
  type ImmutableRef,
  lazyLayersOf,
  type MutableRef,
  type RefOptions,
  type RefStore,
} from '../../contracts/refs.js';
import type { SessionGroup } from '../../contracts/session.js';

type Wanted = Pick<CacheMountLayers, 'id' | 'based'>;

export class CacheMountOffers {
  readonly #offers = new Set<{ readonly session: string; readonly mount: CacheMountLayers }>();

  /** For steps of builds of that session, until it is disposed. What was offered first comes first. */
  add(session: string, mounts: readonly CacheMountLayers[]): Disposable {
    const added = mounts.map((mount) => ({ session, mount }));
    for (const offer of added) this.#offers.add(offer);
    return {
      [Symbol.dispose]: () => {
        for (const offer of added) this.#offers.delete(offer);
      },
    };
  }

  find({ id, based }: Wanted, sessions: SessionGroup | undefined): CacheMountLayers | undefined {
    // Who asks for sessions is taken to use them: only when there is something to find.
    if (!sessions || this.#offers.size === 0) return undefined;
    const ids = sessions.ids();
    for (const { session, mount } of this.#offers)
      if (mount.id === id && mount.based === based && ids.includes(session)) return mount;
    return undefined;
  }
}

/** A writable tree on what was imported; undefined, with a warning, when that cannot be had. */
export async function createFrom(
  { id, layers }: CacheMountLayers,
  base: ImmutableRef | undefined,
  refs: RefStore,
  options: RefOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<MutableRef | undefined> {
  const shown = { description: `cache mount "${id}", imported`, type: 'exec.cachemount' } as const;
  try {
    await using imported = await refs.fromLayers(lazyLayersOf(layers), shown);
    await using merged = base && (await refs.merge([base, imported], shown));
    return await refs.create(merged ?? imported, options, progress, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    progress.warn({
      level: 1,
      short: `cache mount "${id}" begins empty: what was imported for it could not be read`,
      detail: [BuildError.from(error).message],
    });
    return undefined;
  }
}
