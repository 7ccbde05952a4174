import type { Ingest } from '../contracts/content.js';
import { deferred } from '../util/deferred.js';

/** A layer's way into the content store, for those who do not want to wait for its end. */
export class Arrival {
  readonly #begun = deferred<Ingest | undefined>();
  readonly #verified = deferred<void>();
  readonly #kept = deferred<void>();

  constructor() {
    for (const { promise } of [this.#begun, this.#verified, this.#kept]) promise.catch(() => {});
  }

  /** Where the first attempt to get it writes; undefined when the blob was there before. */
  get begun(): Promise<Ingest | undefined> {
    return this.#begun.promise;
  }

  /** All bytes are here and right. */
  get verified(): Promise<void> {
    return this.#verified.promise;
  }

  /** The blob is durable. */
  get kept(): Promise<void> {
    return this.#kept.promise;
  }

  begin(ingest: Ingest): void {
    this.#begun.resolve(ingest);
  }

  verify(): void {
    this.#verified.resolve();
  }

  /** `work` is all of it; what was not told before follows from its outcome. */
  end(work: Promise<void>): void {
    work.then(
      () => {
        this.#begun.resolve(undefined);
        this.#verified.resolve();
        this.#kept.resolve();
      },
      (error: unknown) => {
        this.#begun.reject(error);
        this.#verified.reject(error);
        this.#kept.reject(error);
      },
    );
  }
}
