/** What exporters need beside the trees. Wire facts E11.6. */
import type { FrontendResult, GatewayRef } from '../../../core/contracts/frontend.js';
import { type GoValue, goJson, omitEmpty } from '../../../core/util/go-json.js';
import { formatPlatform, normalizePlatform, type Platform } from '../../../core/util/platform.js';
import type { Converted } from './convert/options.js';
import { formatImage } from './image-config/json.js';

export interface PlatformBuild {
  readonly platform: Platform;
  readonly converted: Converted;
  readonly ref: GatewayRef | undefined;
}

const IMAGE_CONFIG = 'containerimage.config';
const BASE_CONFIG = 'containerimage.base.config';

/** One tree, or one for each platform under its id. */
export function result(
  builds: readonly PlatformBuild[],
  multiPlatform: boolean,
  scans: NonNullable<FrontendResult['attestations']>,
): FrontendResult {
  const metadata = new Map<string, Uint8Array>();
  for (const { platform, converted } of builds) {
    const suffix = multiPlatform ? `/${platformId(platform)}` : '';
    metadata.set(`${IMAGE_CONFIG}${suffix}`, formatImage(converted.image));
    if (converted.baseImage) metadata.set(`${BASE_CONFIG}${suffix}`, formatImage(converted.baseImage));
  }
  metadata.set('refs.platforms', Buffer.from(goJson({ Platforms: builds.map(platformEntry) })));
  const attestations = scans.size > 0 ? { attestations: scans } : {};
  if (!multiPlatform) return { ref: builds[0]?.ref, metadata, ...attestations };
  const refs = new Map(builds.map(({ platform, ref }) => [platformId(platform), ref]));
  return { refs, metadata, ...attestations };
}

export const platformId = (platform: Platform): string => formatPlatform(normalizePlatform(platform));

function platformEntry({ platform }: PlatformBuild): GoValue {
  const { os, architecture, osVersion = '', osFeatures = [], variant = '' } = normalizePlatform(platform);
  return {
    ID: platformId(platform),
    Platform: {
      architecture,
      os,
      ...omitEmpty({ 'os.version': osVersion, 'os.features': osFeatures, variant }),
    },
  };
}
