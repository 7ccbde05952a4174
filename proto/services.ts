/**
 * The gRPC services, typed. Each is a `ServiceDefinition` of @grpc/grpc-js, good for `server.addService` and
 * `makeGenericClientConstructor`; our own gRPC over node:http2 (core/util/grpc-h2) takes single methods of it.
 * Handlers may answer plain objects with only the fields that matter, and clients may ask with them.
 */
import type { TreeStat } from '../core/contracts/files.js';
import type { FileStat } from '../core/contracts/refs.js';
import { decodeBytesMessage, decodePacket, encodeBytesMessage, encodePacket, type Packet } from './fsutil.js';
import { decodeStats, encodeStats } from './gateway-stat.js';
import type { Init, MessageType } from './gen/support.js';
import {
  content,
  control,
  debug,
  exporter,
  filesync,
  gateway,
  health,
  otlp,
  policysession,
  secrets,
  sshforward,
  wellknown,
} from './index.js';

/** One rpc; `ReqIn` and `ResIn` are what may be sent, `Req` and `Res` what is received. */
export interface Method<ReqIn, Req, ResIn, Res> {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (value: ReqIn) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Req;
  readonly responseSerialize: (value: ResIn) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Res;
}

interface Codec<In, Out> {
  readonly encode: (value: In) => Buffer;
  readonly decode: (bytes: Uint8Array) => Out;
}

type Streams = 'unary' | 'server-stream' | 'bidi';

const message = <T>(type: MessageType<T>): Codec<Init<T>, T> => ({
  encode: (value) => type.encode(value).finish() as Buffer,
  decode: (bytes) => type.decode(bytes),
});

function method<ReqIn, Req, ResIn, Res>(
  path: string,
  streams: Streams,
  request: Codec<ReqIn, Req>,
  response: Codec<ResIn, Res>,
): Method<ReqIn, Req, ResIn, Res> {
  return {
    path,
    requestStream: streams === 'bidi',
    responseStream: streams !== 'unary',
    requestSerialize: request.encode,
    requestDeserialize: request.decode,
    responseSerialize: response.encode,
    responseDeserialize: response.decode,
  };
}

/** Makes the methods of one service. */
export const service = (name: string) => ({
  unary: <Req, Res>(rpc: string, request: MessageType<Req>, response: MessageType<Res>) =>
    method(`/${name}/${rpc}`, 'unary', message(request), message(response)),
  serverStream: <Req, Res>(rpc: string, request: MessageType<Req>, response: MessageType<Res>) =>
    method(`/${name}/${rpc}`, 'server-stream', message(request), message(response)),
  bidi: <In, Out>(rpc: string, both: Codec<In, Out>) => method(`/${name}/${rpc}`, 'bidi', both, both),
  custom: <ReqIn, Req, ResIn, Res>(
    rpc: string,
    request: Codec<ReqIn, Req>,
    response: Codec<ResIn, Res>,
    streams: Streams = 'unary',
  ) => method(`/${name}/${rpc}`, streams, request, response),
});

/** Bytes that travel wrapped in a message of one field. */
export interface Chunk {
  readonly data: Uint8Array;
}
const chunks: Codec<Chunk, Chunk> = {
  encode: (value) => encodeBytesMessage(value.data),
  decode: (bytes) => ({ data: decodeBytesMessage(bytes) }),
};
const packets: Codec<Packet, Packet> = { encode: encodePacket, decode: decodePacket };

const ctl = service('moby.buildkit.v1.Control');
export const Control = {
  DiskUsage: ctl.unary('DiskUsage', control.DiskUsageRequest, control.DiskUsageResponse),
  Prune: ctl.serverStream('Prune', control.PruneRequest, control.UsageRecord),
  Solve: ctl.unary('Solve', control.SolveRequest, control.SolveResponse),
  Status: ctl.serverStream('Status', control.StatusRequest, control.StatusResponse),
  Session: ctl.bidi('Session', chunks),
  ListWorkers: ctl.unary('ListWorkers', control.ListWorkersRequest, control.ListWorkersResponse),
  Info: ctl.unary('Info', control.InfoRequest, control.InfoResponse),
  ListenBuildHistory: ctl.serverStream(
    'ListenBuildHistory',
    control.BuildHistoryRequest,
    control.BuildHistoryEvent,
  ),
  UpdateBuildHistory: ctl.unary(
    'UpdateBuildHistory',
    control.UpdateBuildHistoryRequest,
    control.UpdateBuildHistoryResponse,
  ),
} as const;

const readDirResponse: Codec<
  { readonly entries: readonly (TreeStat | FileStat)[] },
  { readonly entries: readonly FileStat[] }
> = {
  encode: (value) => encodeStats(value.entries),
  decode: (bytes) => ({ entries: decodeStats(bytes) }),
};
const statFileResponse: Codec<
  { readonly stat?: TreeStat | FileStat },
  { readonly stat?: FileStat | undefined }
> = {
  encode: (value) => encodeStats(value.stat ? [value.stat] : []),
  decode: (bytes) => ({ stat: decodeStats(bytes).at(-1) }),
};

const bridge = service('moby.buildkit.v1.frontend.LLBBridge');
const readDirRequest = message(gateway.ReadDirRequest);
const statFileRequest = message(gateway.StatFileRequest);
export const LLBBridge = {
  ResolveImageConfig: bridge.unary(
    'ResolveImageConfig',
    gateway.ResolveImageConfigRequest,
    gateway.ResolveImageConfigResponse,
  ),
  ResolveSourceMeta: bridge.unary(
    'ResolveSourceMeta',
    gateway.ResolveSourceMetaRequest,
    gateway.ResolveSourceMetaResponse,
  ),
  Solve: bridge.unary('Solve', gateway.SolveRequest, gateway.SolveResponse),
  ReadFile: bridge.unary('ReadFile', gateway.ReadFileRequest, gateway.ReadFileResponse),
  ReadDir: bridge.custom('ReadDir', readDirRequest, readDirResponse),
  StatFile: bridge.custom('StatFile', statFileRequest, statFileResponse),
  ReadFileContainer: bridge.unary('ReadFileContainer', gateway.ReadFileRequest, gateway.ReadFileResponse),
  ReadDirContainer: bridge.custom('ReadDirContainer', readDirRequest, readDirResponse),
  StatFileContainer: bridge.custom('StatFileContainer', statFileRequest, statFileResponse),
  Evaluate: bridge.unary('Evaluate', gateway.EvaluateRequest, gateway.EvaluateResponse),
  Ping: bridge.unary('Ping', gateway.PingRequest, gateway.PongResponse),
  Return: bridge.unary('Return', gateway.ReturnRequest, gateway.ReturnResponse),
  Inputs: bridge.unary('Inputs', gateway.InputsRequest, gateway.InputsResponse),
  NewContainer: bridge.unary('NewContainer', gateway.NewContainerRequest, gateway.NewContainerResponse),
  ReleaseContainer: bridge.unary(
    'ReleaseContainer',
    gateway.ReleaseContainerRequest,
    gateway.ReleaseContainerResponse,
  ),
  ExecProcess: bridge.bidi('ExecProcess', message(gateway.ExecMessage)),
  Warn: bridge.unary('Warn', gateway.WarnRequest, gateway.WarnResponse),
} as const;

const sync = service('moby.filesync.v1.FileSync');
export const FileSync = {
  DiffCopy: sync.bidi('DiffCopy', packets),
  TarStream: sync.bidi('TarStream', packets),
} as const;

/** Bytes of a file; a folder's packets travel over the same method (wire facts E3.1). */
export const FileSend = { DiffCopy: service('moby.filesync.v1.FileSend').bidi('DiffCopy', chunks) } as const;

const auth = service('moby.filesync.v1.Auth');
export const Auth = {
  Credentials: auth.unary('Credentials', filesync.CredentialsRequest, filesync.CredentialsResponse),
  FetchToken: auth.unary('FetchToken', filesync.FetchTokenRequest, filesync.FetchTokenResponse),
  GetTokenAuthority: auth.unary(
    'GetTokenAuthority',
    filesync.GetTokenAuthorityRequest,
    filesync.GetTokenAuthorityResponse,
  ),
  VerifyTokenAuthority: auth.unary(
    'VerifyTokenAuthority',
    filesync.VerifyTokenAuthorityRequest,
    filesync.VerifyTokenAuthorityResponse,
  ),
} as const;

export const Secrets = {
  GetSecret: service('moby.buildkit.secrets.v1.Secrets').unary(
    'GetSecret',
    secrets.GetSecretRequest,
    secrets.GetSecretResponse,
  ),
} as const;

const ssh = service('moby.sshforward.v1.SSH');
export const SSH = {
  CheckAgent: ssh.unary('CheckAgent', sshforward.CheckAgentRequest, sshforward.CheckAgentResponse),
  ForwardAgent: ssh.bidi('ForwardAgent', chunks),
} as const;

export const Upload = { Pull: service('moby.upload.v1.Upload').bidi('Pull', chunks) } as const;

const exporters = service('moby.exporter.v1.Exporter');
export const Exporter = {
  FindExporters: exporters.unary(
    'FindExporters',
    exporter.FindExportersRequest,
    exporter.FindExportersResponse,
  ),
  FinalizeExport: exporters.unary(
    'FinalizeExport',
    exporter.FinalizeExportRequest,
    exporter.FinalizeExportResponse,
  ),
} as const;

export const PolicyVerifier = {
  CheckPolicy: service('moby.buildkit.v1.sourcepolicy.policysession.PolicyVerifier').unary(
    'CheckPolicy',
    policysession.CheckPolicyRequest,
    policysession.CheckPolicyResponse,
  ),
} as const;

const healthService = service('grpc.health.v1.Health');
export const Health = {
  Check: healthService.unary('Check', health.HealthCheckRequest, health.HealthCheckResponse),
  List: healthService.unary('List', health.HealthListRequest, health.HealthListResponse),
  Watch: healthService.serverStream('Watch', health.HealthCheckRequest, health.HealthCheckResponse),
} as const;

const store = service('containerd.services.content.v1.Content');
export const Content = {
  Info: store.unary('Info', content.InfoRequest, content.InfoResponse),
  Update: store.unary('Update', content.UpdateRequest, content.UpdateResponse),
  List: store.serverStream('List', content.ListContentRequest, content.ListContentResponse),
  Delete: store.unary('Delete', content.DeleteContentRequest, wellknown.Empty),
  Read: store.serverStream('Read', content.ReadContentRequest, content.ReadContentResponse),
  Status: store.unary('Status', content.StatusRequest, content.StatusResponse),
  ListStatuses: store.unary('ListStatuses', content.ListStatusesRequest, content.ListStatusesResponse),
  Write: store.custom(
    'Write',
    message(content.WriteContentRequest),
    message(content.WriteContentResponse),
    'bidi',
  ),
  Abort: store.unary('Abort', content.AbortRequest, wellknown.Empty),
} as const;

/** This daemon's own service. */
const debugService = service('buildkitts.debug.v1.Debug');
export const Debug = {
  ListPlugins: debugService.unary('ListPlugins', debug.ListPluginsRequest, debug.ListPluginsResponse),
  Explain: debugService.unary('Explain', debug.ExplainRequest, debug.ExplainResponse),
  Tasks: debugService.unary('Tasks', debug.TasksRequest, debug.TasksResponse),
  Resources: debugService.unary('Resources', debug.ResourcesRequest, debug.ResourcesResponse),
  PlanPrune: debugService.unary('PlanPrune', control.PruneRequest, debug.PlanPruneResponse),
} as const;

/** OpenTelemetry's collector: spans of clients. */
export const TraceService = {
  Export: service('opentelemetry.proto.collector.trace.v1.TraceService').unary(
    'Export',
    otlp.ExportTraceServiceRequest,
    otlp.ExportTraceServiceResponse,
  ),
} as const;
