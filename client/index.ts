/** The client SDK: connect to a daemon, build, follow the progress. */

export type {
  ClientPolicy,
  PolicyAnswer,
  PolicyQuestion,
  SourcePolicy,
} from '../core/contracts/index.js';
export { type BuildRequest, type BuildResponse, build } from './build.js';
export type { BuildProgram } from './build-program.js';
export type { CacheSpec } from './caches.js';
export type { BridgeApi, Call, ControlApi } from './control-api.js';
export type { Daemon, OpenSession, SessionOffer } from './daemon.js';
export type { ExportRequest, ExportTarget } from './export-request.js';
export { parseAddress } from './grpc/address.js';
export { type ConnectOptions, connectDaemon } from './grpc/connect.js';
export { type ClientTls, tlsOfFolder } from './grpc/tls.js';
export {
  type Display,
  openDisplay,
  type ProgressMode,
  parseProgressMode,
  progressModes,
  show,
} from './progress/index.js';
export { ociStore } from './session/content-stores.js';
export { LayoutStore } from './session/layout-store.js';
export type { SecretSource } from './session/secret-sources.js';
export { jaegerJson } from './trace/jaeger-json.js';
export { parseSpanStubs, type SpanStub } from './trace/span-stubs.js';
