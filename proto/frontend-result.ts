/** Frontend results as LLBBridge carries them. */

import { invalid } from '../core/contracts/errors.js';
import type { FrontendResult, GatewayRef } from '../core/contracts/frontend.js';
import { attestationsFromProto, attestationsToProto } from './attestations.js';
import { definitionToProto } from './definition.js';
import type { gateway, Init } from './index.js';

/** `asArray` false: the client is too old for refs with definitions. */
export function resultToProto(result: FrontendResult, asArray: boolean): Init<gateway.Result> {
  const common = {
    metadata: Object.fromEntries(result.metadata),
    ...(result.attestations ? { attestations: attestationsToProto(result.attestations, refToProto) } : {}),
  };
  if (!result.refs) {
    return asArray
      ? { ref: refToProto(result.ref), ...common }
      : { refDeprecated: idOf(result.ref), ...common };
  }
  const refs = [...result.refs];
  return asArray
    ? { refs: { refs: Object.fromEntries(refs.map(([key, ref]) => [key, refToProto(ref)])) }, ...common }
    : { refsDeprecated: { refs: Object.fromEntries(refs.map(([key, ref]) => [key, idOf(ref)])) }, ...common };
}

/** Scratch has the empty id. */
const idOf = (ref: GatewayRef | undefined): string => ref?.id ?? '';

const refToProto = (ref: GatewayRef | undefined): Init<gateway.Ref> => ({
  id: idOf(ref),
  ...(ref?.definition ? { def: definitionToProto(ref.definition) } : {}),
});

/** `find` answers the ref of an id that is not empty, or throws. */
export function resultFromProto(result: gateway.Result, find: (id: string) => GatewayRef): FrontendResult {
  const lookup = (id: string): GatewayRef | undefined => (id === '' ? undefined : find(id));
  const common = {
    metadata: new Map(Object.entries(result.metadata)),
    ...(Object.keys(result.attestations).length > 0
      ? { attestations: attestationsFromProto(result.attestations, lookup) }
      : {}),
  };
  const many = (ids: readonly (readonly [key: string, id: string])[]): FrontendResult => ({
    refs: new Map(ids.map(([key, id]) => [key, lookup(id)])),
    ...common,
  });
  switch (result.result) {
    case 'ref':
      return { ref: lookup(result.ref?.id ?? ''), ...common };
    case 'refDeprecated':
      return { ref: lookup(result.refDeprecated ?? ''), ...common };
    case 'refs':
      return many(Object.entries(result.refs?.refs ?? {}).map(([key, ref]) => [key, ref.id]));
    case 'refsDeprecated':
      return many(Object.entries(result.refsDeprecated?.refs ?? {}));
    case undefined:
      return common;
    default:
      throw invalid('gateway.invalid', `unknown kind of result ${result.result satisfies never}`);
  }
}
