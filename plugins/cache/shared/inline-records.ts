/** Records that an image carries in its config: they name layers by their place in the image. Wire facts E6.6. */
import * as z from 'zod';
import type { CacheRecord } from '../../../core/contracts/cache.js';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import type { RefLayer } from '../../../core/contracts/refs.js';
import type { Digest } from '../../../core/util/digest.js';
import { corrupt, parseRecords } from './config.js';
import { decodeConfig } from './decode.js';

/** The member of an image's config. */
export const inlineMember = 'moby.buildkit.cache.v0';

const schema = z.object({
  rootfs: z.object({ diff_ids: z.array(z.string()).nullish() }).nullish(),
  [inlineMember]: z.string().nullish(),
  history: z
    .array(
      z.object({
        created: z.string().nullish(),
        created_by: z.string().nullish(),
        empty_layer: z.boolean().nullish(),
      }),
    )
    .nullish(),
});

/** None for an image without records, or whose layers and config do not fit each other. */
export function inlineRecords(
  config: Uint8Array,
  descriptors: readonly Descriptor[],
  { name, provider }: { readonly name: string; readonly provider: ContentProvider },
): readonly CacheRecord[] {
  const parsed = schema.safeParse(parseJson(config, name));
  if (!parsed.success) return [];
  const image = parsed.data;
  const embedded = image[inlineMember];
  const diffIds = (image.rootfs?.diff_ids ?? []) as Digest[];
  if (!embedded || diffIds.length !== descriptors.length) return [];
  const history = (image.history ?? []).filter((entry) => !entry.empty_layer);
  const layers = descriptors.map((descriptor, at): RefLayer => {
    const createdAt = Date.parse(history[at]?.created ?? '');
    return {
      descriptor,
      diffId: diffIds[at]!,
      createdAt: Number.isNaN(createdAt) ? 0 : createdAt,
      description: history[at]?.created_by ?? '',
    };
  });
  const records = parseRecords(Buffer.from(embedded, 'base64'), name);
  return decodeConfig(
    { layers: descriptors.map(({ digest }, at) => ({ blob: digest, parent: at - 1 })), records },
    { layers: new Map(layers.map((layer) => [layer.descriptor.digest, layer])), provider },
    name,
  );
}

function parseJson(data: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString());
  } catch (error) {
    throw corrupt(name, (error as Error).message);
  }
}
