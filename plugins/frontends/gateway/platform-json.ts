import type { Platform } from '../../../core/util/platform.js';

/** As OCI writes it; members without value are left out. */
export const formatPlatformJson = ({
  architecture,
  os,
  osVersion,
  osFeatures,
  variant,
}: Platform): object => ({
  architecture,
  os,
  ...(osVersion ? { 'os.version': osVersion } : {}),
  ...(osFeatures?.length ? { 'os.features': osFeatures } : {}),
  ...(variant ? { variant } : {}),
});
