/** Frontend results as LLBBridge carries them. */
import { definitionToProto } from '../../proto/definition.js';
import type { gateway, Init } from '../../proto/index.js';
import { invalid, unsupported } from '../contracts/errors.js';
import type { FrontendResult, GatewayRef } from '../contracts/frontend.js';

/** `asArray` false: the client is too old for refs with definitions. */
export function resultToProto(result: FrontendResult, asArray: boolean): Init<gateway.Result> {
  const metadata = Object.fromEntries(result.metadata);
  if (!result.refs) {
    return asArray
      ? { ref: refToProto(result.ref), metadata }
      : { refDeprecated: idOf(result.ref), metadata };
  }
  const refs = [...result.refs];
  return asArray
    ? { refs: { refs: Object.fromEntries(refs.map(([key, ref]) => [key, refToProto(ref)])) }, metadata }
    : { refsDeprecated: { refs: Object.fromEntries(refs.map(([key, ref]) => [key, idOf(ref)])) }, metadata };
}

/** Scratch has the empty id. */
const idOf = (ref: GatewayRef | undefined): string => ref?.id ?? '';

const refToProto = (ref: GatewayRef | undefined): Init<gateway.Ref> => ({
  id: idOf(ref),
  ...(ref?.definition ? { def: definitionToProto(ref.definition) } : {}),
});

/** `find` answers the ref of an id that is not empty, or throws. */
export function resultFromProto(result: gateway.Result, find: (id: string) => GatewayRef): FrontendResult {
  if (Object.keys(result.attestations).length > 0) {
    throw unsupported('gateway.attestations', 'attestations returned by a frontend are not supported yet');
  }
  const metadata = new Map(Object.entries(result.metadata));
  const lookup = (id: string): GatewayRef | undefined => (id === '' ? undefined : find(id));
  const many = (ids: readonly (readonly [key: string, id: string])[]): FrontendResult => ({
    refs: new Map(ids.map(([key, id]) => [key, lookup(id)])),
    metadata,
  });
  switch (result.result) {
    case 'ref':
      return { ref: lookup(result.ref?.id ?? ''), metadata };
    case 'refDeprecated':
      return { ref: lookup(result.refDeprecated ?? ''), metadata };
    case 'refs':
      return many(Object.entries(result.refs?.refs ?? {}).map(([key, ref]) => [key, ref.id]));
    case 'refsDeprecated':
      return many(Object.entries(result.refsDeprecated?.refs ?? {}));
    case undefined:
      return { metadata };
    default:
      throw invalid('gateway.invalid', `unknown kind of result ${result.result satisfies never}`);
  }
}
