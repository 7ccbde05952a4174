import { setMaxListeners } from 'node:events';
import pLimit, { type LimitFunction } from 'p-limit';
import { canceled } from '../contracts/errors.js';
import { deferred } from '../util/deferred.js';

/**
 * How many requests a registry gets at once: blobs share one limit, and small JSON documents have a lane of their
 * own, so that a manifest never queues behind gigabytes. BuildKit: util/resolver/limited/group.go.
 */
export class Lanes {
  readonly #blobsPerHost: number;
  readonly #limits = new Map<string, LimitFunction>();

  constructor(blobsPerHost = 4) {
    this.#blobsPerHost = blobsPerHost;
  }

  /** Waits for a place; disposing it lets the next one in. */
  async enter(host: string, kind: 'blob' | 'json', signal: AbortSignal): Promise<Disposable> {
    const key = `${kind} ${host}`;
    let limit = this.#limits.get(key);
    if (!limit) {
      limit = pLimit(kind === 'blob' ? this.#blobsPerHost : 1);
      this.#limits.set(key, limit);
    }
    const left = deferred<void>();
    const entered = deferred<void>();
    const leave = (): void => left.resolve();
    void limit(() => {
      entered.resolve();
      return left.promise;
    });
    const onAbort = (): void => {
      leave();
      entered.reject(canceled(signal.reason));
    };
    setMaxListeners(0, signal); // a build's one signal stops all its requests
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      await entered.promise;
    } catch (error) {
      leave();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    return { [Symbol.dispose]: leave };
  }
}
