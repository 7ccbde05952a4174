/** Writes a large layer with several threads: each takes blocks, this end puts them into the file in order. */
import fs from 'node:fs/promises';
import os from 'node:os';
import type { Threads } from '../../contracts/threads.js';
import { type BlockSettings, gzipHeader, gzipTrailer } from './compress-block.js';
import { inOrder } from './in-order.js';
import type { LayerSumsArgs } from './layer-sums.task.js';
import { makeBlock } from './make-block.js';
import type { Sums } from './stream-sums.js';
import type { PlanBlock } from './tar-plan.js';
import type { WrittenLayer } from './write-layer.js';

const sumsTask = new URL('./layer-sums.task.js', import.meta.url);

export interface LayerFileOptions {
  readonly threads: Threads;
  readonly settings: BlockSettings;
  readonly output: string;
  /** Uncompressed bytes so far. */
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

export async function writeLayerFile(
  blocks: readonly PlanBlock[],
  options: LayerFileOptions,
): Promise<WrittenLayer> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const sum = (args: LayerSumsArgs): Promise<Sums> => options.threads.run<Sums>(sumsTask, args, { signal });
  const plain = sum({ blocks, crc32: options.settings.type === 'gzip' });
  plain.catch(() => stop.abort());
  try {
    await writeBlocks(blocks, plain, { ...options, signal });
    const { digest: diffId } = await plain;
    const { digest, size } = await sum({ file: options.output });
    return { digest, size, diffId };
  } catch (error) {
    stop.abort();
    // The first failure is what happened; the rest is its echo.
    const [outcome] = await Promise.allSettled([plain]);
    if (outcome.status === 'rejected' && !options.signal.aborted) throw firstCause(outcome.reason, error);
    throw error;
  }
}

async function writeBlocks(
  blocks: readonly PlanBlock[],
  plain: Promise<Sums>,
  options: LayerFileOptions,
): Promise<void> {
  const { threads, settings, onProgress } = options;
  const { type, level } = settings;
  const run = async (block: PlanBlock, signal: AbortSignal) => {
    return { block, data: await makeBlock(threads, { block, settings: { type, level } }, signal) };
  };
  const file = await fs.open(options.output, 'w');
  try {
    if (type === 'gzip') await file.write(gzipHeader(level));
    let done = 0;
    for await (const { block, data } of inOrder(blocks, os.availableParallelism() + 1, run, options.signal)) {
      await file.writeFile(data);
      done += block.length - block.lead;
      onProgress(done);
    }
    if (type === 'gzip') {
      const { crc32, size } = await plain;
      await file.write(gzipTrailer(crc32, size));
    }
  } finally {
    await file.close();
  }
}

/** Of two failures the one that is no mere cancellation. */
const firstCause = (a: unknown, b: unknown): unknown =>
  (a as { code?: string }).code === 'canceled' ? b : a;
