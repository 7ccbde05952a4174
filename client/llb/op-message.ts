/** The op as a message object, and its one true form as bytes. */

import type { LlbMetadata } from '../../core/contracts/frontend.js';
import { sha256 } from '../../core/util/digest.js';
import type { Platform } from '../../core/util/platform.js';
import type { Init, pb } from '../../proto/index.js';
import { marshalOp } from '../../proto/marshal.js';
import type { Constraints } from './constraints.js';
import { union } from './constraints.js';
import type { MarshalledOp } from './vertex.js';

export type OpMessage = Init<pb.Op>;

/** An input that is not there, and an output that nobody keeps. */
export const NONE = -1;

/** Source ops of images and exec ops depend on the platform; the others are the same everywhere. */
export function finishOp(
  op: OpMessage,
  own: Constraints,
  extraCaps: Iterable<string>,
  platform: Platform | undefined,
): MarshalledOp {
  // Written out: graphs have thousands of these.
  const { inputs, exec, source, file, build, merge, diff } = op;
  const bytes = marshalOp({
    inputs,
    exec,
    source,
    file,
    build,
    merge,
    diff,
    platform: platform && platformMessage(platform),
    constraints: { filter: own.filters },
  });
  return {
    digest: sha256(bytes),
    bytes,
    metadata: withCaps(own.metadata, extraCaps),
    locations: own.locations,
  };
}

function withCaps(metadata: LlbMetadata, added: Iterable<string>): LlbMetadata {
  const caps = union(metadata.caps, [...added]);
  return caps === metadata.caps ? metadata : { ...metadata, caps };
}

export const platformMessage = (platform: Platform): NonNullable<OpMessage['platform']> => ({
  OS: platform.os,
  Architecture: platform.architecture,
  ...(platform.variant ? { Variant: platform.variant } : {}),
  ...(platform.osVersion ? { OSVersion: platform.osVersion } : {}),
  ...(platform.osFeatures?.length ? { OSFeatures: [...platform.osFeatures] } : {}),
});
