/** The layers of a result as an image lists them. */
import type { Descriptor } from '../../../../core/contracts/content.js';
import { type Progress, statusWhile } from '../../../../core/contracts/progress.js';
import type { LayerOptions, RefLayer, RefLayers } from '../../../../core/contracts/refs.js';
import { sourceLabel } from '../../../../core/contracts/registry.js';
import { publicAnnotations } from '../../../../core/util/layer-annotations.js';
import { layerMediaType } from '../../../../core/util/media-types.js';
import { together } from '../../../../core/util/together.js';
import type { NamedResult } from '../result.js';
import type { ImageOptions } from './options.js';

/** The layers of every platform, in the compression and with the times that are wanted. */
export function exportLayers(
  parts: readonly NamedResult[],
  options: ImageOptions,
  epoch: number | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly RefLayers[]> {
  const wanted = layerOptions(options, epoch);
  const nothing: RefLayers = { layers: [], provider: { read: async function* () {} } };
  const layersOf = async ({ ref }: NamedResult, either: AbortSignal): Promise<RefLayers> =>
    (await ref?.layers(wanted, progress, either)) ?? nothing;
  const exported = statusWhile(progress, 'exporting layers', () => together(parts, layersOf, signal));
  return wanted.sourceDateEpoch === undefined
    ? exported
    : statusWhile(progress, rewritingRow(wanted.sourceDateEpoch), () => exported);
}

/** The time as Go writes one. */
function rewritingRow(epoch: number): string {
  const time = new Date(epoch * 1000).toISOString().replace('T', ' ').replace('.000Z', ' +0000 UTC');
  return `rewriting layers with source-date-epoch ${epoch} (${time})`;
}

export function layerOptions(
  { compression, mediaTypes: family, rewriteTimestamp }: ImageOptions,
  epoch: number | undefined,
): LayerOptions {
  const clamp = rewriteTimestamp && epoch !== undefined ? { sourceDateEpoch: epoch } : {};
  return { compression, mediaTypes: family, ...clamp };
}

export function describeLayer({ descriptor }: RefLayer, options: ImageOptions): Descriptor {
  const { annotations: all, platform: _, ...plain } = descriptor;
  const mediaType = layerMediaType(plain.mediaType, options.mediaTypes, options.keepNondistributable);
  const annotations = publicAnnotations(all);
  if (options.mediaTypes === 'docker' || Object.keys(annotations).length === 0)
    return { ...plain, mediaType };
  return { ...plain, mediaType, annotations };
}

/** Image sources note on a layer where it came from, see `sourceLabel`. */
export function sourcesOf({
  descriptor: { annotations = {} },
}: RefLayer): Readonly<Record<string, readonly string[]>> {
  const prefix = sourceLabel('');
  const noted = Object.entries(annotations).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(noted.map(([key, paths]) => [key.slice(prefix.length), paths.split(',')]));
}
