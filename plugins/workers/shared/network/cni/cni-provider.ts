/**
 * Networks by CNI. Namespaces are used again, the one used last first; those beyond the size of the pool go when
 * nobody has wanted them for five minutes. BuildKit: util/network/cniprovider/cni.go.
 *
 * A step with a hostname of its own gets a namespace of its own: plugins may have given it that name.
 */
import type { Logger } from '../../../../../core/contracts/logger.js';
import type { NetworkProvider, TakenNetwork } from '../network-provider.js';
import type { CniNamespace, CniNamespaces } from './cni-namespaces.js';

const GRACE_MS = 5 * 60_000;

export interface CniProviderOptions {
  readonly namespaces: Pick<CniNamespaces, 'make' | 'remove'>;
  /** Namespaces that are always ready. */
  readonly poolSize: number;
  readonly logger: Logger;
  /** Runs `work` later, unless the process ends before. */
  readonly later?: (ms: number, work: () => void) => Disposable;
  readonly now?: () => number;
}

interface Idle {
  readonly namespace: CniNamespace;
  readonly since: number;
}

export class CniProvider implements NetworkProvider {
  readonly #options: CniProviderOptions;
  readonly #later: NonNullable<CniProviderOptions['later']>;
  readonly #now: () => number;
  /** The one that was used longest ago first. */
  #idle: Idle[] = [];
  readonly #timers = new Set<Disposable>();
  readonly #going = new Set<Promise<void>>();
  #size = 0;
  #closed = false;

  constructor(options: CniProviderOptions) {
    this.#options = options;
    this.#later = options.later ?? timer;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Makes the first namespace, which says whether the configuration works; fills the pool meanwhile. */
  async start(): Promise<void> {
    this.#put(await this.#make(''));
    this.#track(this.#fill());
  }

  async take(hostname: string, signal: AbortSignal): Promise<TakenNetwork> {
    signal.throwIfAborted();
    const pooled = hostname === '';
    const namespace = (pooled ? this.#idle.pop()?.namespace : undefined) ?? (await this.#make(hostname));
    let taken = true;
    return {
      network: { path: namespace.path },
      [Symbol.asyncDispose]: async () => {
        if (!taken) return;
        taken = false;
        if (pooled) this.#put(namespace);
        else await this.#remove(namespace);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const each of this.#timers) each[Symbol.dispose]();
    const idle = this.#idle.splice(0);
    await Promise.all([...this.#going, ...idle.map(({ namespace }) => this.#remove(namespace))]);
  }

  async #fill(): Promise<void> {
    while (!this.#closed && this.#size < this.#options.poolSize) this.#put(await this.#make(''));
  }

  async #make(hostname: string): Promise<CniNamespace> {
    this.#size++;
    try {
      return await this.#options.namespaces.make(hostname);
    } catch (error) {
      this.#size--;
      throw error;
    }
  }

  #put(namespace: CniNamespace): void {
    if (this.#closed) {
      this.#track(this.#remove(namespace));
      return;
    }
    this.#idle.push({ namespace, since: this.#now() });
    if (this.#size <= this.#options.poolSize) return;
    const waiting = this.#later(GRACE_MS, () => {
      this.#timers.delete(waiting);
      this.#shrink();
    });
    this.#timers.add(waiting);
  }

  #shrink(): void {
    const before = this.#now() - GRACE_MS;
    for (let first = this.#idle[0]; first && this.#size > this.#options.poolSize; first = this.#idle[0]) {
      if (first.since > before) return;
      this.#idle.shift();
      this.#track(this.#remove(first.namespace));
    }
  }

  /** What cannot be taken away stays on record for the next start. */
  async #remove(namespace: CniNamespace): Promise<void> {
    this.#size--;
    try {
      await this.#options.namespaces.remove(namespace);
    } catch (err) {
      this.#options.logger.warn('a network namespace could not be given back', {
        namespace: namespace.id,
        err,
      });
    }
  }

  #track(work: Promise<void>): void {
    const going = work
      .catch((err: unknown) => this.#options.logger.error('failed to make a network namespace', { err }))
      .finally(() => this.#going.delete(going));
    this.#going.add(going);
  }
}

function timer(ms: number, work: () => void): Disposable {
  const timeout = setTimeout(work, ms).unref();
  return { [Symbol.dispose]: () => clearTimeout(timeout) };
}
