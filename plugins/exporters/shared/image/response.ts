/** What an image exporter answers (features B12.16). */
import type { Descriptor } from '../../../../core/contracts/content.js';
import { goJson } from '../../../../core/util/go-json.js';
import { timeFromMs } from '../../../../core/util/go-time.js';
import { descriptorJson } from './documents.js';
import type { WrittenImage } from './writer.js';

const created = 'org.opencontainers.image.created';

/** The root as the client is told of it: with the time of the export, unless it already says one. */
export function announcedRoot({ root, sourceDateEpoch }: WrittenImage, nowMs: number): Descriptor {
  const seconds = sourceDateEpoch ?? Math.floor(nowMs / 1000);
  return { ...root, annotations: { [created]: timeFromMs(seconds * 1000), ...root.annotations } };
}

export function imageResponse(
  image: WrittenImage,
  announced: Descriptor,
  names: readonly string[],
): Readonly<Record<string, string>> {
  return {
    'containerimage.digest': image.root.digest,
    ...(image.configDigest === undefined ? {} : { 'containerimage.config.digest': image.configDigest }),
    'containerimage.descriptor': Buffer.from(goJson(descriptorJson(announced))).toString('base64'),
    ...(names.length > 0 ? { 'image.name': names.join(',') } : {}),
  };
}
