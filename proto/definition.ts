/** The contracts' {@link LlbDefinition} against pb.Definition. */
import type { LinuxResources } from '../core/contracts/executor.js';
import type { LlbDefinition, LlbMetadata } from '../core/contracts/frontend.js';
import type { Digest } from '../core/util/digest.js';
import { type Init, pb } from './index.js';
import { marshalSource } from './marshal.js';

export function definitionFromProto(definition: pb.Definition): LlbDefinition {
  const metadata = Object.entries(definition.metadata).map(
    ([digest, value]) => [digest as Digest, metadataFromProto(value)] as const,
  );
  return {
    def: definition.def,
    metadata: new Map(metadata),
    ...(definition.Source ? { source: marshalSource(definition.Source) } : {}),
  };
}

export function definitionToProto(definition: LlbDefinition): pb.Definition {
  const metadata = [...definition.metadata].map(
    ([digest, value]) => [digest, metadataToProto(value)] as const,
  );
  return pb.Definition.create({
    def: definition.def as Uint8Array[],
    metadata: Object.fromEntries(metadata),
    ...(definition.source ? { Source: pb.Source.decode(definition.source) } : {}),
  });
}

export const decodeDefinition = (bytes: Uint8Array): LlbDefinition =>
  definitionFromProto(pb.Definition.decode(bytes));

export function metadataFromProto(value: pb.OpMetadata): LlbMetadata {
  const group = value.progressGroup;
  return {
    ignoreCache: value.ignoreCache,
    description: value.description,
    caps: Object.keys(value.caps).filter((cap) => value.caps[cap]),
    ...(value.exportCache ? { exportCache: value.exportCache.Value } : {}),
    ...(group ? { progressGroup: { id: group.id, name: group.name, weak: group.weak } } : {}),
    ...(value.linuxResources ? { resources: resourcesFromProto(value.linuxResources) } : {}),
  };
}

/** Zero and empty mean: no limit. */
const resourcesFromProto = (limits: pb.LinuxResources): LinuxResources =>
  Object.fromEntries(Object.entries({ ...limits }).filter(([, limit]) => Boolean(limit)));

export function metadataToProto(value: LlbMetadata): Init<pb.OpMetadata> {
  return {
    ignoreCache: value.ignoreCache,
    description: value.description,
    caps: Object.fromEntries(value.caps.map((cap) => [cap, true])),
    ...(value.exportCache === undefined ? {} : { exportCache: { Value: value.exportCache } }),
    ...(value.progressGroup ? { progressGroup: value.progressGroup } : {}),
    ...(value.resources ? { linuxResources: value.resources } : {}),
  };
}
