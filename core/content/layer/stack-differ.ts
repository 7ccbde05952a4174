import type { ContentStore, Descriptor, GrowingFile } from '../../contracts/content.js';
import type {
  ApplyOptions,
  CompareOptions,
  Differ,
  LayerBlob,
  RecompressOptions,
  TreeChange,
} from '../../contracts/differ.js';
import { BuildError, notFound } from '../../contracts/errors.js';
import type { Mount } from '../../contracts/mount.js';
import type { ThreadOptions, Threads } from '../../contracts/threads.js';
import type { StreamCompression } from '../../util/compression/decompress.js';
import type { Digest } from '../../util/digest.js';
import { mediaTypes } from '../../util/media-types.js';
import { blockSettings, type LayerSettings, layerSettings } from './compress-block.js';
import type { LayerApplyArgs, LayerSource } from './layer-apply.task.js';
import { writeLayerFile } from './layer-file.js';
import type { LayerInflateArgs } from './layer-inflate.task.js';
import type { LayerNamesArgs } from './layer-names.task.js';
import type { LayerPlanArgs, LayerPlanResult } from './layer-plan.task.js';
import type { LayerReplayArgs } from './layer-replay.task.js';
import { layersOf } from './mount-layers.js';
import type { Sums } from './stream-sums.js';
import { cutBlocks, type PlanItem } from './tar-plan.js';
import type { WrittenLayer } from './write-layer.js';

const planTask = new URL('./layer-plan.task.js', import.meta.url);
const inflateTask = new URL('./layer-inflate.task.js', import.meta.url);
const namesTask = new URL('./layer-names.task.js', import.meta.url);
const replayTask = new URL('./layer-replay.task.js', import.meta.url);
const applyTask = new URL('./layer-apply.task.js', import.meta.url);

/** BuildKit keeps the digest of the uncompressed layer under this label. */
const uncompressedLabel = 'containerd.io/uncompressed';

/** {@link Differ} for snapshots that are directories of this machine: layers are read and written without a mount. */
export class StackDiffer implements Differ {
  readonly #content: ContentStore;
  readonly #threads: Threads;

  constructor(options: { readonly content: ContentStore; readonly threads: Threads }) {
    this.#content = options.content;
    this.#threads = options.threads;
  }

  async apply(
    layer: Descriptor,
    onto: readonly Mount[],
    options: ApplyOptions,
  ): Promise<{ readonly diffId: Digest }> {
    const source = { file: await this.#present(layer) };
    return this.#unpack(layer, source, onto, options);
  }

  async follow(
    layer: Descriptor,
    arriving: GrowingFile,
    onto: readonly Mount[],
    options: ApplyOptions,
  ): Promise<{ readonly diffId: Digest }> {
    const onAsk = (beyond: unknown): Promise<number> => arriving.grown(beyond as number);
    return this.#unpack(layer, { fd: arriving.fd }, onto, options, onAsk);
  }

  async #unpack(
    layer: Descriptor,
    source: LayerSource,
    onto: readonly Mount[],
    { signal, onProgress }: ApplyOptions,
    onAsk?: ThreadOptions['onAsk'],
  ): Promise<{ readonly diffId: Digest }> {
    const compression = compressionOf(layer);
    const args: LayerApplyArgs = { source, compression, layers: layersOf(onto) };
    const onReport = (bytes: unknown): void => onProgress?.(bytes as number);
    try {
      const options = { signal, onReport, ...(onAsk ? { onAsk } : {}) };
      return { diffId: await this.#threads.run<Digest>(applyTask, args, options) };
    } catch (error) {
      throw BuildError.from(error).wrap(`cannot unpack layer ${layer.digest}`);
    }
  }

  async compare(
    lower: readonly Mount[],
    upper: readonly Mount[],
    options: CompareOptions,
  ): Promise<LayerBlob> {
    const settings = layerSettings(options.compression.type, options.compression.level);
    await using staged = await this.#content.stage();
    const layer = await this.#write(layersOf(lower), layersOf(upper), settings, staged.path, options);
    const { digest, size, diffId } = layer;
    const clamped = clampedMark(options.sourceDateEpoch);
    await staged.commit({ digest, size, labels: { [uncompressedLabel]: diffId, ...clamped } });
    const descriptor = { mediaType: mediaTypeOf(options), digest, size };
    const annotations = { ...layer.annotations, ...clamped };
    const plain = Object.keys(annotations).length === 0;
    return { descriptor: plain ? descriptor : { ...descriptor, annotations }, diffId };
  }

  async replay(changes: readonly TreeChange[], onto: readonly Mount[], signal: AbortSignal): Promise<void> {
    const args: LayerReplayArgs = {
      changes: changes.map(({ lower, upper }) => ({ lower: layersOf(lower), upper: layersOf(upper) })),
      onto: layersOf(onto),
    };
    await this.#threads.run(replayTask, args, { signal });
  }

  async recompress(layer: Descriptor, options: RecompressOptions): Promise<LayerBlob> {
    const { signal, compression } = options;
    if (compression.type === 'estargz') {
      throw new BuildError('layer.compression', 'estargz is written of trees, and not of other layers');
    }
    const settings = blockSettings(compression.type, compression.level);
    await using plain = await this.#content.stage();
    const blob = await this.#present(layer);
    const args: LayerInflateArgs = { blob, compression: compressionOf(layer), output: plain.path };
    const { digest: diffId, size: plainSize } = await this.#threads.run<Sums>(inflateTask, args, {
      signal,
    });
    const labels = { [uncompressedLabel]: diffId };
    const mediaType = mediaTypeOf(options);
    if (settings.type === 'uncompressed') {
      await plain.commit({ digest: diffId, size: plainSize, labels });
      return { descriptor: { mediaType, digest: diffId, size: plainSize }, diffId };
    }
    await using staged = await this.#content.stage();
    const item: PlanItem = { kind: 'raw', host: plain.path, size: plainSize };
    const blocks = [...cutBlocks([item], settings.blockSize, settings.lead)];
    const { digest, size } = await writeLayerFile(blocks, {
      threads: this.#threads,
      settings,
      output: staged.path,
      onProgress: (bytes) => options.onProgress?.(bytes),
      signal,
    });
    await staged.commit({ digest, size, labels });
    return { descriptor: { mediaType, digest, size }, diffId };
  }

  async names(layer: Descriptor, signal: AbortSignal): Promise<readonly string[]> {
    const args: LayerNamesArgs = { blob: await this.#present(layer), compression: compressionOf(layer) };
    return this.#threads.run<readonly string[]>(namesTask, args, { signal });
  }

  async #present(layer: Descriptor): Promise<string> {
    if (await this.#content.info(layer.digest)) return this.#content.path(layer.digest);
    throw notFound('content.not-found', `${layer.digest} is not in the content store`);
  }

  async #write(
    lower: readonly string[],
    upper: readonly string[],
    settings: LayerSettings,
    output: string,
    options: CompareOptions,
  ): Promise<WrittenLayer> {
    const { signal } = options;
    const onProgress = (bytes: number): void => options.onProgress?.(bytes);
    const args: LayerPlanArgs = { lower, upper, sourceDateEpoch: options.sourceDateEpoch, settings, output };
    const plan = await this.#threads.run<LayerPlanResult>(planTask, args, {
      signal,
      onReport: (bytes) => onProgress(bytes as number),
    });
    if ('written' in plan) return plan.written;
    if (settings.type === 'estargz') throw new Error('estargz has no blocks');
    return writeLayerFile(plan.blocks, { threads: this.#threads, settings, output, onProgress, signal });
  }
}

/** Tells those who would clamp times that it is done. BuildKit: util/converter/converter.go. */
const clampedMark = (epoch: number | undefined): Readonly<Record<string, string>> =>
  epoch === undefined ? {} : { 'buildkit/rewritten-timestamp': String(epoch) };

/** BuildKit: util/compression. Docker has no type of its own for zstd; its spelling follows gzip's. */
function mediaTypeOf(options: RecompressOptions): string {
  const docker = options.mediaTypes === 'docker';
  const base = docker ? mediaTypes.dockerLayer : mediaTypes.ociLayer;
  const { type } = options.compression;
  if (type === 'uncompressed') return base;
  return `${base}${docker ? '.' : '+'}${type === 'estargz' ? 'gzip' : type}`;
}

function compressionOf(layer: Descriptor): StreamCompression {
  const match = /\btar(?:[.+](gzip|zstd))?$/.exec(layer.mediaType);
  if (!match) {
    throw new BuildError('layer.media-type', `${layer.mediaType} is not a layer that can be unpacked`);
  }
  return (match[1] as 'gzip' | 'zstd' | undefined) ?? 'none';
}
