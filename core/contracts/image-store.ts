import type { ContentProvider, Descriptor } from './content.js';
import { family, type TokenFamily } from './token.js';

/** Where a worker gives images names that other programs of the machine see: containerd's image store. */
export interface ImageStore {
  /** Names the image, after all of its blobs have been brought there. What had a name before loses it. */
  put(image: StorableImage, names: readonly string[], signal: AbortSignal): Promise<void>;
  /** Makes the trees that programs start containers of it from, for this machine's platform. After `put`. */
  unpack(image: StorableImage, signal: AbortSignal): Promise<void>;
}
/** By the id of the worker's plugin. */
export const ImageStores: TokenFamily<ImageStore> = family('ImageStore');

export interface StorableImage {
  /** The manifest, or the index. */
  readonly root: Descriptor;
  /** All of them, the root too. */
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly provider: ContentProvider }[];
}
