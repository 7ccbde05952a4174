/**
 * Capabilities of LLBBridge that work here; a client must not use others. Wire facts B3.13.
 * BuildKit: frontend/gateway/pb/caps.go.
 */
export const gatewayCaps: readonly string[] = [
  'frontend.caps',
  'frontend.inputs',
  'gateway.evaluate',
  'gateway.exec',
  'gateway.exec.extrahosts',
  'gateway.exec.secretenv',
  'gateway.exec.signals',
  'gateway.solve.evaluate',
  'gateway.solve.metadata',
  'gateway.warnings',
  'proto.refarray',
  'readdir',
  'readfile',
  'reference.attestations',
  'reference.output',
  'resolveimage',
  'resolveimage.resolvemode',
  'return',
  'returnmap',
  'solve.base',
  'solve.inlinereturn',
  'source.metaresolver',
  'statfile',
];

/** Only where the bridge can import caches. */
export const importCachesCap = 'importcaches';
