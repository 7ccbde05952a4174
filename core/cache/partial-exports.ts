/**
 * Caches of a build that has no result: exported again and again while it runs (`every`), and when it has failed
 * (`on-failure`). What is exported is what has completed by then.
 *
 * Invariants: (1) two exports of one entry never overlap; (2) nothing is exported when nothing has completed since the
 * last time; (3) once `end` has answered, nothing is exported any more; (4) no failure of an export is one of the build.
 */

import type { KeyChain } from '../solver/key-chain.js';
import { type Clock, systemClock } from '../util/clock.js';
import type { PartialExport } from './cache-exports.js';
import type { OpenCacheExport } from './open-exports.js';

export interface PartialExportsOptions {
  readonly exports: readonly OpenCacheExport[];
  /** Those of all that has completed. */
  readonly completed: () => readonly KeyChain[];
  /** Answers whether it was exported; rejects with nothing but its signal's reason. */
  readonly run: (entry: OpenCacheExport, part: PartialExport, signal: AbortSignal) => Promise<boolean>;
  readonly clock?: Clock;
}

export class PartialExports implements AsyncDisposable {
  readonly #entries: ReadonlyMap<OpenCacheExport, Entry>;
  readonly #givenUp = new Set<OpenCacheExport>();
  readonly #stop = new AbortController();

  constructor(options: PartialExportsOptions) {
    this.#entries = new Map(options.exports.map((entry) => [entry, new Entry(entry, options)]));
  }

  /** Whether a failure of the build is waited for. */
  get wantsFailure(): boolean {
    return [...this.#entries.values()].some(({ onFailure }) => onFailure);
  }

  /** From now on time counts. The signal is the build's. */
  begin(signal: AbortSignal): void {
    const either = AbortSignal.any([signal, this.#stop.signal]);
    for (const entry of this.#entries.values()) entry.begin(either);
  }

  /** Stops what runs. */
  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#entries.values()].map((entry) => entry.ended));
  }

  /** It was tried with the result of the build just now. */
  giveUp(entry: OpenCacheExport): void {
    this.#givenUp.add(entry);
  }

  /** The build has failed. */
  async failed(signal: AbortSignal): Promise<void> {
    await this.end();
    const left = [...this.#entries].filter(([entry]) => !this.#givenUp.has(entry));
    await Promise.all(left.map(([, entry]) => entry.failed(signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** One cache that is to be exported. */
class Entry {
  readonly #entry: OpenCacheExport;
  readonly #options: PartialExportsOptions;
  #running: Promise<void> | undefined;
  /** Steps that the last export has told of. */
  #exported: ReadonlySet<string> = new Set();

  constructor(entry: OpenCacheExport, options: PartialExportsOptions) {
    this.#entry = entry;
    this.#options = options;
  }

  get onFailure(): boolean {
    return this.#entry.export.onFailure ?? false;
  }

  get ended(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  /** The time an export takes does not count, so one that takes long leaves the build its share of the machine. */
  begin(stop: AbortSignal): void {
    const { every } = this.#entry.export;
    if (every === undefined || stop.aborted) return;
    const timer = (this.#options.clock ?? systemClock).after(every, () => {
      stop.removeEventListener('abort', cancel);
      this.#running = this.#export('what is done so far', stop, 1).then(() => this.begin(stop));
    });
    const cancel = (): void => timer[Symbol.dispose]();
    stop.addEventListener('abort', cancel, { once: true });
  }

  async failed(signal: AbortSignal): Promise<void> {
    if (this.onFailure && !signal.aborted) await this.#export('what the failed build has done', signal);
  }

  async #export(what: string, signal: AbortSignal, atOnce?: number): Promise<void> {
    const chains = this.#options.completed();
    const names = new Set(chains.filter(hasLayers).map(nameOf));
    if ([...names].every((name) => this.#exported.has(name))) return;
    const part = { chains, what, ...(atOnce ? { atOnce } : {}) };
    if (await this.#options.run(this.#entry, part, signal)) this.#exported = names;
  }
}

/** Sources are found again by themselves. */
const hasLayers = ({ inputs }: KeyChain): boolean => inputs.length > 0;

/** Equal commands on other inputs have the same digest, and each output of a step has its own. */
const nameOf = ({ vertex, digest }: KeyChain): string => `${vertex} ${digest}`;
