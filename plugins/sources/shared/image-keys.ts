/** Cache keys of images (wire facts E5.7). BuildKit: source/containerimage/pull.go. */
import { chainId } from '../../../core/util/chain-id.js';
import { type Digest, sha256 } from '../../../core/util/digest.js';
import { type GoStruct, goJson, omitEmpty } from '../../../core/util/go-json.js';
import type { Platform } from '../../../core/util/platform.js';

/** Cheap: known as soon as the reference is resolved. */
export function manifestKey(root: Digest, platform: Platform, layerLimit: number | undefined): Digest {
  const optional: GoStruct = {
    Variant: platform.variant,
    OSVersion: platform.osVersion,
    OSFeatures: platform.osFeatures,
    Limit: layerLimit,
  };
  return sha256(
    goJson({ Digest: root, OS: platform.os, Arch: platform.architecture, ...omitEmpty(optional) }),
  );
}

/** Says what the tree is, whatever the manifest around it: equal layers are equal steps. */
export const contentKey = (diffIds: readonly Digest[]): Digest | undefined => chainId(diffIds);
