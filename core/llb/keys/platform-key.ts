import type { GoStruct } from '../../util/go-json.js';
import { omitEmpty } from '../../util/go-json.js';
import type { Platform } from '../../util/platform.js';

/** The platform members at the end of a key's JSON; `OS` and `Arch` are always written. */
export const platformMembers = (platform: Platform): GoStruct => ({
  OS: platform.os,
  Arch: platform.architecture,
  ...omitEmpty({
    Variant: platform.variant,
    OSVersion: platform.osVersion,
    OSFeatures: platform.osFeatures,
  }),
});
