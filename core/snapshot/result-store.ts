import { BuildError, notFound } from '../contracts/errors.js';
import type { ImmutableRef } from '../contracts/refs.js';
import type { Workers } from '../contracts/worker.js';
import type { Result, ResultStore } from '../solver/op.js';

/** What stands for the empty tree: it is always there. */
const SCRATCH = 'scratch';

/**
 * Solver results as refs, named `<worker>::<ref>`. A ref is on its way to the disk before anybody gets it, so saving only names it. A
 * saved result may be pruned like anything else that is not in use; `has` then answers no, and the solver looks on.
 */
export class RefResultStore implements ResultStore {
  readonly #workers: Workers;

  constructor(workers: Workers) {
    this.#workers = workers;
  }

  async save(result: Result | undefined): Promise<string> {
    if (result === undefined) return SCRATCH;
    const ref = result as ImmutableRef;
    if (!this.#workers.get(ref.workerId)?.refs?.has(ref.id)) {
      throw new BuildError(
        'ref.not-savable',
        `result ${ref.id} is no committed ref of worker ${ref.workerId}`,
        {
          grpcCode: 'Internal',
        },
      );
    }
    return `${ref.workerId}::${ref.id}`;
  }

  async load(id: string): Promise<Result | undefined> {
    if (id === SCRATCH) return undefined;
    const { workerId, refId } = parse(id);
    const refs = this.#workers.get(workerId)?.refs;
    if (!refs) throw notFound('ref.no-worker', `result ${id} belongs to a worker that is not here`);
    const ref = await refs.get(refId);
    if (!ref.lazy || (await refs.isObtainable(refId))) return ref;
    await ref[Symbol.asyncDispose]();
    throw new BuildError('ref.no-provider', `layers of result ${refId} cannot be had any more`, {
      grpcCode: 'FailedPrecondition',
      hint: 'they were imported with a cache and never downloaded: the step is run again',
    });
  }

  /** On whichever worker: where it is needed on another one, it is brought there (core/llb/bring.ts). */
  has(id: string): boolean {
    if (id === SCRATCH) return true;
    const { workerId, refId } = parse(id);
    return this.#workers.get(workerId)?.refs.has(refId) ?? false;
  }

  /** The record stays until it is pruned: it may still be found by index or as a parent. */
  async release(_id: string): Promise<void> {}
}

function parse(id: string): { readonly workerId: string; readonly refId: string } {
  const at = id.lastIndexOf('::');
  return { workerId: id.slice(0, at), refId: id.slice(at + 2) };
}
