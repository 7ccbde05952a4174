import { canceled } from '../contracts/errors.js';
import { getOrAdd } from '../util/get-or-add.js';
import { Semaphore } from '../util/semaphore.js';

/**
 * How many requests a registry gets at once: blobs share one limit, and small JSON documents have a lane of their
 * own, so that a manifest never queues behind gigabytes. BuildKit: util/resolver/limited/group.go.
 */
export class Lanes {
  readonly #blobsPerHost: number;
  readonly #lanes = new Map<string, Semaphore>();

  constructor(blobsPerHost = 4) {
    this.#blobsPerHost = blobsPerHost;
  }

  /** Waits for a place; disposing it lets the next one in. */
  async enter(host: string, kind: 'blob' | 'json', signal: AbortSignal): Promise<Disposable> {
    const width = kind === 'blob' ? this.#blobsPerHost : 1;
    const lane = getOrAdd(this.#lanes, `${kind} ${host}`, () => new Semaphore(width));
    try {
      return await lane.enter(signal);
    } catch (error) {
      throw canceled(error);
    }
  }
}
