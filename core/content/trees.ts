import { createHash } from 'node:crypto';
import os from 'node:os';
import type { ResultTree } from '../contracts/session.js';
import type { Threads } from '../contracts/threads.js';
import type { Trees } from '../contracts/trees.js';
import type { Digest } from '../util/digest.js';
import { inOrder } from './layer/in-order.js';
import { makeBlock } from './layer/make-block.js';
import type { PlanBlock } from './layer/tar-plan.js';
import type { TreePlanArgs } from './tree-plan.task.js';

const planTask = new URL('./tree-plan.task.js', import.meta.url);

/**
 * {@link Trees} over layer directories. The whole tar is planned first, then made block by block in worker threads, a
 * few blocks ahead of the reader: a slow reader stops the work, and no thread waits for one.
 */
export class LocalTrees implements Trees {
  readonly #threads: Threads;

  constructor(options: { readonly threads: Threads }) {
    this.#threads = options.threads;
  }

  async *tar(trees: readonly ResultTree[], signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const args: TreePlanArgs = { trees };
    const blocks = await this.#threads.run<readonly PlanBlock[]>(planTask, args, { signal });
    const render = (block: PlanBlock, stop: AbortSignal): Promise<Uint8Array> =>
      makeBlock(this.#threads, { block, settings: { type: 'uncompressed', level: 0 } }, stop);
    yield* inOrder(blocks, os.availableParallelism(), render, signal);
  }

  hashing(data: AsyncIterable<Uint8Array>): {
    readonly data: AsyncIterable<Uint8Array>;
    digest(): Digest;
  } {
    const hash = createHash('sha256');
    let digest: Digest | undefined;
    async function* passing(): AsyncIterable<Uint8Array> {
      for await (const chunk of data) {
        hash.update(chunk);
        yield chunk;
      }
      digest = `sha256:${hash.digest('hex')}`;
    }
    return {
      data: passing(),
      digest: () => {
        if (!digest) throw new Error('the digest of a stream is known when it has been read to its end');
        return digest;
      },
    };
  }
}
