import type { Lease, Leases } from '../contracts/content.js';
import type { Kv } from '../contracts/kv.js';
import type { Digest } from '../util/digest.js';
import { newId } from '../util/identity.js';
import { BlobHolds } from './blob-holds.js';

/** Leases over the key-value store. Only one process opens a root, so leases found at the start have no holder left. */
export class LocalLeases implements Leases {
  readonly #kv: Kv;
  readonly #holds: BlobHolds;

  private constructor(kv: Kv) {
    this.#kv = kv;
    this.#holds = new BlobHolds(kv);
  }

  static async open(kv: Kv): Promise<LocalLeases> {
    const leases = new LocalLeases(kv);
    await leases.#release(leases.#holds.by('lease:'));
    return leases;
  }

  async create(): Promise<Lease> {
    const id = newId();
    const digests = new Set<Digest>();
    const holder = `lease:${id}`;
    return {
      id,
      holdBlob: async (digest) => {
        digests.add(digest);
        await this.#kv.write((batch) => this.#holds.hold(batch, digest, holder));
      },
      [Symbol.asyncDispose]: () => this.#release([...digests].map((digest) => ({ digest, holder }))),
    };
  }

  async pin(owner: string, digests: readonly Digest[]): Promise<void> {
    const holder = pinHolder(owner);
    const old = [...this.#heldBy(holder)];
    await this.#kv.write((batch) => {
      for (const { digest } of old) this.#holds.release(batch, digest, holder);
      for (const digest of digests) this.#holds.hold(batch, digest, holder);
    });
  }

  unpin(owner: string): Promise<void> {
    return this.#release(this.#heldBy(pinHolder(owner)));
  }

  *#heldBy(holder: string): Iterable<{ readonly digest: Digest; readonly holder: string }> {
    for (const hold of this.#holds.by(holder)) if (hold.holder === holder) yield hold;
  }

  #release(holds: Iterable<{ readonly digest: Digest; readonly holder: string }>): Promise<void> {
    const all = [...holds];
    return this.#kv.write((batch) => {
      for (const { digest, holder } of all) this.#holds.release(batch, digest, holder);
    });
  }
}

const pinHolder = (owner: string): string => `pin:${owner}`;
