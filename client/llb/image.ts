import {
  formatImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../core/util/image-reference.js';
import type { Platform } from '../../core/util/platform.js';
import { type Cap, caps } from './caps.js';
import type { ConstraintOptions } from './constraints.js';
import { source } from './source.js';
import { State } from './state.js';

export type ResolveMode = 'default' | 'pull' | 'local';

export interface ImageOptions extends ConstraintOptions {
  /** `pull` asks the registry even when the image is here, `local` prefers what is here. */
  readonly resolveMode?: ResolveMode;
  /** Marks the record, for garbage collection: `internal`, `frontend`. */
  readonly recordType?: string;
  /** Uses only the lowest layers. */
  readonly layerLimit?: number;
  /** Refuses an image with another digest. */
  readonly checksum?: string;
}

/** The tree of an image. Its environment is not applied: see {@link State.withImageConfig}. */
export function image(ref: string, options: ImageOptions = {}): State {
  const { resolveMode = 'default', recordType, layerLimit, checksum } = options;
  const attrs: Record<string, string> = {};
  const needed: Cap[] = [caps.sourceImage];
  if (resolveMode !== 'default') attrs['image.resolvemode'] = resolveMode;
  if (resolveMode === 'pull') needed.push(caps.sourceImageResolveMode);
  if (recordType) attrs['image.recordtype'] = recordType;
  if (layerLimit !== undefined) {
    attrs['image.layerlimit'] = String(layerLimit);
    needed.push(caps.sourceImageLayerLimit);
  }
  if (checksum) {
    attrs['image.checksum'] = checksum;
    needed.push(caps.sourceImageChecksum);
  }
  const full = formatImageReference(withDefaultTag(parseImageReference(ref)));
  return source(`docker-image://${full}`, attrs, needed, options);
}

/** Answers the config of an image (OCI JSON), and what the reference stands for. */
export interface ImageConfigResolver {
  resolve(
    ref: string,
    options: { readonly platform: Platform | undefined; readonly resolveMode: ResolveMode },
  ): Promise<{ readonly digest: string; readonly config: Uint8Array | string }>;
}

/**
 * An image with the environment, the working directory and the platform of its config. `pin` makes it the image that
 * the reference stands for now.
 */
export async function imageWithConfig(
  ref: string,
  resolver: ImageConfigResolver,
  { pin = false, ...options }: ImageOptions & { readonly pin?: boolean } = {},
): Promise<State> {
  const { platform, resolveMode = 'default' } = options;
  const named = withDefaultTag(parseImageReference(ref));
  const { digest, config } = await resolver.resolve(formatImageReference(named), { platform, resolveMode });
  const pinned = pin && !named.digest ? `${formatImageReference(named)}@${digest}` : ref;
  return image(pinned, options).withImageConfig(config);
}

/** The empty tree. */
export const scratch = (): State => new State(undefined);
