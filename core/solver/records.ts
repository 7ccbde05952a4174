/** What the facts are drawn from besides the graph: the key store, minus results that are gone. */
import type { Records } from './facts.js';
import type { KeyId } from './keys/key-id.js';
import type { KeyStore } from './keys/key-store.js';
import type { Origin } from './keys/link.js';
import type { ResultStore } from './op.js';

export class StoredRecords implements Records {
  readonly keys: KeyStore;
  readonly #results: ResultStore;
  readonly #background: (what: string, work: Promise<unknown>) => void;

  constructor(
    keys: KeyStore,
    results: ResultStore,
    background: (what: string, work: Promise<unknown>) => void,
  ) {
    this.keys = keys;
    this.#results = results;
    this.#background = background;
  }

  isThere(resultId: string): boolean {
    if (this.#results.has(resultId)) return true;
    this.drop(resultId);
    return false;
  }

  drop(resultId: string): void {
    const release = async (): Promise<void> => {
      await this.keys.forget(resultId);
      await this.#results.release(resultId);
    };
    this.#background('release a result', release());
  }

  connect(origins: readonly Origin[], key: KeyId): void {
    this.#background('link keys', this.keys.link(origins, key));
  }
}
