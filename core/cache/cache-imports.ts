/**
 * The caches that one build imports. Each is read once, however often it is asked for; one that cannot be read is shown
 * as a failed row, and the build goes on without it. BuildKit: solver/llbsolver/bridge.go.
 */
import type { CacheBackend, CacheContext, CacheImport, CacheMountLayers } from '../contracts/cache.js';
import { invalid } from '../contracts/errors.js';
import type { CacheEntry } from '../contracts/frontend.js';
import type { Logger } from '../contracts/logger.js';
import type { RefLayers } from '../contracts/refs.js';
import type { Contributions } from '../contracts/token.js';
import type { Job } from '../solver/job.js';
import { didYouMean } from '../util/nearest.js';
import { type AdoptionStores, ImportedCache } from './imported-cache.js';
import type { MountTrees } from './mount-exports.js';

export interface CacheImportServices extends AdoptionStores {
  readonly mounts: Pick<MountTrees, 'offer'>;
  readonly backends: Contributions<CacheBackend>;
  readonly logger: Logger;
}

export class CacheImports implements Disposable {
  readonly #job: Job;
  readonly #services: CacheImportServices;
  readonly #session: CacheContext['session'];
  readonly #running = new Map<string, Promise<void>>();
  readonly #imported: ImportedCache[] = [];
  readonly #mounts: CacheMountLayers[] = [];
  readonly #offers: Disposable[] = [];
  #over = false;

  constructor(job: Job, services: CacheImportServices, session: CacheContext['session']) {
    this.#job = job;
    this.#services = services;
    this.#session = session;
  }

  /** Until these and all that were asked for before are there, or have failed. */
  async import(entries: readonly CacheEntry[], signal: AbortSignal): Promise<void> {
    for (const entry of entries) {
      const key = keyOf(entry);
      if (!this.#running.has(key)) this.#running.set(key, this.#import(entry, signal));
    }
    await Promise.all(this.#running.values());
  }

  /** The layers of a record that was found in an imported cache, but not loaded. */
  layers(resultId: string): RefLayers | undefined {
    for (const cache of this.#imported) {
      const layers = cache.layers(resultId);
      if (layers) return layers;
    }
    return undefined;
  }

  /** Content of cache mounts that was exported along. */
  get mounts(): readonly CacheMountLayers[] {
    return this.#mounts;
  }

  /** Steps that begin from now on find no cache mounts here. */
  [Symbol.dispose](): void {
    this.#over = true;
    for (const offer of this.#offers.splice(0)) offer[Symbol.dispose]();
  }

  #offer(found: readonly CacheMountLayers[]): void {
    // What is read late is not taken back any more.
    if (this.#over) return;
    this.#mounts.push(...found);
    for (const session of this.#job.sessions.ids()) {
      this.#offers.push(this.#services.mounts.offer(session, found));
    }
  }

  async #import({ type, attrs }: CacheEntry, signal: AbortSignal): Promise<void> {
    const { logger } = this.#services;
    const opened = attempt(() => openImport(this.#services.backends, type, attrs));
    const name = (opened.ok ? opened.value.name : attrs.ref) ?? type;
    try {
      const cache = await this.#job.steps.step(`importing cache manifest from ${name}`, async (progress) => {
        if (!opened.ok) throw opened.error;
        const mounts = (found: readonly CacheMountLayers[]): void => this.#offer(found);
        const context = { session: this.#session, sessions: this.#job.sessions, progress, mounts };
        const records = await opened.value.import(context, signal);
        return new ImportedCache(name, records, this.#services);
      });
      this.#imported.push(cache);
      this.#job.addCache(cache);
    } catch (err) {
      if (!signal.aborted) logger.warn('a cache was not imported', { cache: name, err });
    }
  }
}

function openImport(
  backends: Contributions<CacheBackend>,
  type: string,
  attrs: Readonly<Record<string, string>>,
): CacheImport {
  const opened = backends.get(type)?.importer?.(attrs);
  if (opened) return opened;
  throw invalid(
    'cache.unknown-importer',
    `unknown cache importer: "${type}"${didYouMean(type, backends.ids())}`,
  );
}

const keyOf = ({ type, attrs }: CacheEntry): string =>
  JSON.stringify([type, ...Object.entries(attrs).sort(([a], [b]) => (a < b ? -1 : 1))]);

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

function attempt<T>(work: () => T): Attempt<T> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, error };
  }
}
