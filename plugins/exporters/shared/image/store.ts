/** Names an image in the image store of the worker that built it. BuildKit: exporter/containerimage/export.go, Export. */
import { invalid, unsupported } from '../../../../core/contracts/errors.js';
import type { BuildResult } from '../../../../core/contracts/exporter.js';
import type { ImageStore } from '../../../../core/contracts/image-store.js';
import { type Progress, statusWhile } from '../../../../core/contracts/progress.js';
import type { Workers } from '../../../../core/contracts/worker.js';
import type { AttributeReader } from '../attributes.js';
import type { WrittenImage } from './writer.js';

export interface StoreOptions {
  /** In the worker's image store, if it has one. */
  readonly store: boolean;
  readonly unpack: boolean;
  /** Also under `<name>@<digest>`. */
  readonly canonical: boolean;
}

/** Finds the image store for a result; undefined where the worker has none. */
export type FindImageStore = (result: BuildResult) => ImageStore | undefined;

export const noImageStore: FindImageStore = () => undefined;

/** Of the workers whose trees the result is made of, the first that has one; an empty image is of the default worker. */
export const imageStoreOf =
  (workers: Workers): FindImageStore =>
  ({ platforms }) => {
    const ids = new Set(platforms.flatMap(({ ref }) => ref?.workerId ?? []));
    const makers = ids.size > 0 ? [...ids].map((id) => workers.get(id)) : [workers.default()];
    return makers.find((worker) => worker?.images)?.images;
  };

export const readStoreOptions = (reader: AttributeReader): StoreOptions => ({
  store: reader.boolean('store') ?? true,
  unpack: reader.boolean('unpack') ?? false,
  canonical: reader.boolean('name-canonical') ?? false,
});

/** Before anything is built for it. */
export function checkUnpack(
  { store, unpack }: StoreOptions,
  images: ImageStore | undefined,
  rewriteTimestamp: boolean,
): void {
  if (!unpack || !store) return;
  if (!images) {
    throw unsupported('exporter.unpack', 'image exporter: unpack=true needs a worker with an image store', {
      hint: 'The containerd worker has one.',
    });
  }
  if (rewriteTimestamp) {
    throw invalid(
      'exporter.unpack',
      'image exporter: rewrite-timestamp=true and unpack=true exclude each other',
    );
  }
}

export async function storeImage(
  image: WrittenImage,
  names: readonly string[],
  images: ImageStore,
  { unpack, canonical }: StoreOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  for (const name of names) {
    const all = canonical && !name.includes('@') ? [name, `${name}@${image.root.digest}`] : [name];
    await statusWhile(progress, `naming to ${name}`, () => images.put(image, all, signal));
  }
  const [first] = names;
  if (unpack && first !== undefined) {
    await statusWhile(progress, `unpacking to ${first}`, () => images.unpack(image, signal));
  }
}
