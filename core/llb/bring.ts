/**
 * Trees go from worker to worker as layers. The engine's workers share one content store, so what is a blob already is
 * unpacked from there, and what is lazy stays lazy. A layer that was never a blob becomes what an export would make of it.
 */
import type { Progress } from '../contracts/progress.js';
import { type ImmutableRef, type LayerOptions, lazyLayersOf } from '../contracts/refs.js';
import type { Worker } from '../contracts/worker.js';
import { DisposeStack } from '../util/dispose.js';
import { together } from '../util/together.js';

/** The exporters' own, so that an image is the same bytes wherever its steps ran. */
const asExported: LayerOptions = { compression: { type: 'gzip', force: false }, mediaTypes: 'oci' };

/** Whether all of them are where `worker` can use them. */
const areOn = (worker: Worker, trees: readonly (ImmutableRef | undefined)[]): boolean =>
  trees.every((tree) => tree === undefined || tree.workerId === worker.profile.id);

/** The same trees as refs of `worker`, in the same order: of what is there already, the handles that were given. */
export class BroughtTrees implements AsyncDisposable {
  readonly trees: readonly (ImmutableRef | undefined)[];
  readonly #made: DisposeStack;

  private constructor(trees: readonly (ImmutableRef | undefined)[], made: DisposeStack) {
    this.trees = trees;
    this.#made = made;
  }

  static async bring(
    worker: Worker,
    trees: readonly (ImmutableRef | undefined)[],
    progress: Progress,
    signal: AbortSignal,
  ): Promise<BroughtTrees> {
    const made = new DisposeStack();
    if (areOn(worker, trees)) return new BroughtTrees(trees, made);
    try {
      const brought = await together(
        trees,
        async (tree, either) => {
          if (areOn(worker, [tree])) return tree;
          const copy = await bring(worker, tree!, progress, either);
          return copy && made.use(copy);
        },
        signal,
      );
      return new BroughtTrees(brought, made);
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#made[Symbol.asyncDispose]();
  }
}

/** Undefined for a tree without layers: a difference of nothing. */
async function bring(
  worker: Worker,
  tree: ImmutableRef,
  progress: Progress,
  signal: AbortSignal,
): Promise<ImmutableRef | undefined> {
  const layers = await tree.layers(asExported, progress, signal);
  return worker.refs.fromLayers(lazyLayersOf(layers), {
    description: `brought from worker ${tree.workerId}`,
  });
}
