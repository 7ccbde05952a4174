/**
 * The trees of failed steps that errors tell of, held for the length of a build so that a frontend can look into them
 * with a container. The steps themselves hold them only as long as they are known (core/llb/ops/exec.ts).
 */
import { BuildError, notFound } from '../contracts/errors.js';
import type { ImmutableRef } from '../contracts/refs.js';
import type { Workers } from '../contracts/worker.js';
import { DisposeStack } from '../util/dispose.js';

export class FailedTrees implements AsyncDisposable {
  readonly #workers: Workers;
  readonly #byId = new Map<string, ImmutableRef>();
  readonly #held = new DisposeStack();

  constructor(workers: Workers) {
    this.#workers = workers;
  }

  /** Holds what the error names. What is gone meanwhile cannot be looked into; that is no second failure. */
  async keep(error: unknown): Promise<void> {
    const ids = BuildError.from(error).details.flatMap((detail) =>
      detail.type === 'solve' ? [...detail.inputIds, ...detail.mountIds] : [],
    );
    for (const id of new Set(ids)) if (id !== '' && !this.#byId.has(id)) await this.#hold(id);
  }

  get(id: string): ImmutableRef {
    const tree = this.#byId.get(id);
    if (tree) return tree;
    throw notFound('gateway.no-such-ref', `return reference ${id} not found`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#byId.clear();
    await this.#held[Symbol.asyncDispose]();
  }

  async #hold(id: string): Promise<void> {
    const worker = this.#workers.list.find(({ refs }) => refs.has(id));
    const tree = await worker?.refs.get(id).catch((error: unknown) => {
      if (BuildError.from(error).grpcCode === 'NotFound') return undefined;
      throw error;
    });
    if (!tree) return;
    await this.#held.use(tree);
    this.#byId.set(id, tree);
  }
}
