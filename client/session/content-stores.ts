/** The content stores that a client offers, by the name that calls carry. Wire facts E1.10. */
import { notFound } from '../../core/contracts/errors.js';
import type { ClientContent } from '../../core/contracts/session.js';

export class ContentStores {
  readonly #stores: ReadonlyMap<string, ClientContent>;

  constructor(stores: ReadonlyMap<string, ClientContent>) {
    this.#stores = stores;
  }

  get empty(): boolean {
    return this.#stores.size === 0;
  }

  get(id: string): ClientContent {
    const store = this.#stores.get(id);
    if (store) return store;
    // BuildKit's daemon and ours tell a missing store from a missing blob by these words.
    throw notFound('client.content', `unknown store ${id}`, {
      hint: id.startsWith('oci:')
        ? `offer a layout under that name: buildctl build --oci-layout ${id.slice(4)}=<path>`
        : `the client offers: ${[...this.#stores.keys()].join(', ') || 'none'}`,
    });
  }
}

/** The name of the store that serves the layout `name`. */
export const ociStore = (name: string): string => `oci:${name}`;
