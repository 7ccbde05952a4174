/** Attestations as LLBBridge carries them. BuildKit: frontend/gateway/client/attestation.go. */

import type {
  Attestation,
  AttestationSubject,
  FrontendResult,
  GatewayRef,
} from '../core/contracts/frontend.js';
import { gateway, type Init } from './index.js';

const kinds = {
  'in-toto': gateway.AttestationKind.InToto,
  bundle: gateway.AttestationKind.Bundle,
} as const;
const subjectKinds = {
  self: gateway.InTotoSubjectKind.Self,
  raw: gateway.InTotoSubjectKind.Raw,
} as const;

export function attestationsToProto(
  attestations: NonNullable<FrontendResult['attestations']>,
  refToProto: (ref: GatewayRef) => Init<gateway.Ref>,
): Record<string, Init<gateway.Attestations>> {
  const encode = (one: Attestation): Init<gateway.Attestation> => ({
    kind: kinds[one.kind],
    metadata: Object.fromEntries(one.metadata),
    ...(one.ref ? { ref: refToProto(one.ref) } : {}),
    path: one.path,
    inTotoPredicateType: one.predicateType,
    inTotoSubjects: one.subjects.map(({ kind, name, digests }) => ({
      kind: subjectKinds[kind],
      name,
      digest: [...digests],
    })),
  });
  return Object.fromEntries(
    [...attestations].map(([key, list]) => [key, { attestation: list.map(encode) }] as const),
  );
}

export function attestationsFromProto(
  attestations: Readonly<Record<string, gateway.Attestations>>,
  find: (id: string) => GatewayRef | undefined,
): Map<string, Attestation[]> {
  const decode = (one: gateway.Attestation): Attestation => ({
    kind: one.kind === gateway.AttestationKind.Bundle ? 'bundle' : 'in-toto',
    metadata: new Map(Object.entries(one.metadata)),
    ref: one.ref && find(one.ref.id),
    path: one.path,
    predicateType: one.inTotoPredicateType,
    subjects: one.inTotoSubjects.map(
      ({ kind, name, digest }): AttestationSubject => ({
        kind: kind === gateway.InTotoSubjectKind.Raw ? 'raw' : 'self',
        name,
        digests: digest,
      }),
    ),
  });
  return new Map(
    Object.entries(attestations).map(([key, { attestation }]) => [key, attestation.map(decode)]),
  );
}
