/** Builds LLB: graphs of steps that a daemon runs. Start from {@link image}, {@link local} or {@link scratch}. */
export { type BlobOptions, imageBlob, type LayoutBlobOptions, ociLayoutBlob } from './blob.js';
export { type BuildOptions, build } from './build.js';
export { type Cap, caps } from './caps.js';
export type { ConstraintOptions } from './constraints.js';
export { fromDefinition } from './definition.js';
export { encodeDefinition } from './encode.js';
export { DEFAULT_PATH } from './exec.js';
export type { MountOptions, ProxyOptions, RunOptions, SecretOptions, SshOptions } from './exec-options.js';
export {
  type BoundAction,
  type CopySource,
  copy,
  FileAction,
  mkdir,
  mkfile,
  rm,
  symlink,
} from './file-action.js';
export type {
  CopyOptions,
  MkdirOptions,
  MkfileOptions,
  OwnerOptions,
  RmOptions,
  SymlinkOptions,
} from './file-options.js';
export { type GitOptions, git } from './git.js';
export { type HttpOptions, http } from './http.js';
export {
  type ImageConfigResolver,
  type ImageOptions,
  image,
  imageWithConfig,
  type ResolveMode,
  scratch,
} from './image.js';
export { type LocalOptions, local } from './local.js';
export { type MarshalOptions, marshal } from './marshal.js';
export { diff, merge } from './merge.js';
export { type OciLayoutOptions, ociLayout } from './oci-layout.js';
export type { HostIp, NetworkMode, SecurityMode, Settings, Ulimit } from './settings.js';
export { splitShell } from './shlex.js';
export { source } from './source.js';
export type { SourceLocation, SourceMap } from './source-map.js';
export { ExecState, State } from './state.js';
export { deferredOutput, type Output } from './vertex.js';
