/** Every message of the wire, by package: `pb.Op`, `control.SolveRequest`, `gateway.Result`, … */
export * as caps from './gen/caps.js';
export * as content from './gen/content.js';
export * as control from './gen/control.js';
export * as exporter from './gen/exporter.js';
export * as filesync from './gen/filesync.js';
export * as fsutil from './gen/fsutil.js';
export * as gateway from './gen/gateway.js';
export * as health from './gen/health.js';
export * as pb from './gen/pb.js';
export * as policysession from './gen/policysession.js';
export * as rpc from './gen/rpc.js';
export * as secrets from './gen/secrets.js';
export * as sourcepolicy from './gen/sourcepolicy.js';
export * as sshforward from './gen/sshforward.js';
export type { Init, MessageType } from './gen/support.js';
export * as types from './gen/types.js';
export * as upload from './gen/upload.js';
export * as wellknown from './gen/wellknown.js';
