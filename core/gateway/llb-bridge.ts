/**
 * LLBBridge, the service frontends call over gRPC, as plain methods on its messages. One object serves one build; the
 * build ends when the frontend returns, exactly once, either a result or an error (wire facts E2.3).
 */

import { definitionFromProto, definitionToProto } from '../../proto/definition.js';
import { resultFromProto, resultToProto } from '../../proto/frontend-result.js';
import type { caps, gateway, Init, types } from '../../proto/index.js';
import { inquiryFromProto, metaToProto } from '../../proto/source-meta.js';
import { policyFromProto } from '../../proto/source-policy.js';
import { errorOf } from '../../proto/status.js';
import { BuildError, invalid, notFound, unsupported } from '../contracts/errors.js';
import type { TreeStat } from '../contracts/files.js';
import type { FrontendResult, Gateway, GatewaySolve, LlbDefinition } from '../contracts/frontend.js';
import { llbCaps } from '../llb/caps.js';
import { decodePlatform } from '../llb/decode/op.js';
import { type Deferred, deferred } from '../util/deferred.js';
import type { Digest } from '../util/digest.js';
import type { Bridge } from './bridge.js';
import type { MessageDuplex } from './bridge-methods.js';
import type { BridgeRef } from './bridge-ref.js';
import { gatewayCaps, importCachesCap } from './caps.js';
import type { Containers } from './containers.js';
import { execProcess } from './exec-process.js';
import { sourceInfo, sourceRange } from './source-map.js';

export interface LlbBridgeOptions {
  /**
   * Whoever returns an error is answered when the build is over. Clients give a build up 5 s after that answer, and there
   * may be something to do for a build that has failed. BuildKit: client/solve.go.
   */
  readonly holdsFailure?: boolean;
}

export class LlbBridge implements AsyncDisposable {
  readonly #bridge: Bridge;
  readonly #inputs: ReadonlyMap<string, LlbDefinition>;
  readonly #containers: Containers;
  readonly #holdsFailure: boolean;
  readonly #returned: Deferred<FrontendResult> = deferred();
  readonly #over: Deferred<void> = deferred();
  #isReturned = false;

  /** `inputs` are the definitions that the client handed to its frontend. */
  constructor(
    bridge: Bridge,
    inputs: ReadonlyMap<string, LlbDefinition> = new Map(),
    { holdsFailure = false }: LlbBridgeOptions = {},
  ) {
    this.#holdsFailure = holdsFailure;
    this.#bridge = bridge;
    this.#inputs = inputs;
    this.#containers = bridge.openContainers();
    // Whoever serves the build may look at it late.
    this.#returned.promise.catch(() => {});
  }

  /** What the frontend returned; rejects with the error it returned. */
  get returned(): Promise<FrontendResult> {
    return this.#returned.promise;
  }

  get isReturned(): boolean {
    return this.#isReturned;
  }

  async ping(): Promise<Init<gateway.PongResponse>> {
    const bridgeCaps = this.#bridge.cacheImports ? [...gatewayCaps, importCachesCap].sort() : gatewayCaps;
    return {
      FrontendAPICaps: bridgeCaps.map(enabled),
      LLBCaps: llbCaps.filter((cap) => cap.working).map((cap) => enabled(cap.id)),
      Workers: this.#bridge.workers.map(workerRecord),
    };
  }

  async solve(request: gateway.SolveRequest, signal: AbortSignal): Promise<Init<gateway.SolveResponse>> {
    const result = await this.#bridge.solve(solveRequest(request), signal);
    if (result.refs && !request.allowResultReturn) {
      throw invalid('gateway.old-client', 'the answer has several refs, which this client cannot take');
    }
    if (request.Final) this.#finish(withExporterAttrs(result, request.ExporterAttr));
    return {
      result: resultToProto(result, request.allowResultArrayRef),
      ...(request.allowResultReturn ? {} : { ref: result.ref?.id ?? '' }),
    };
  }

  async return(request: gateway.ReturnRequest): Promise<Init<gateway.ReturnResponse>> {
    const { result, error } = request;
    if ((result === undefined) === (error === undefined)) {
      throw invalid('gateway.invalid', 'gateway return must be either result or err');
    }
    this.#checkNotReturned();
    if (error) {
      this.#isReturned = true;
      this.#returned.reject(errorOf(error));
      if (this.#holdsFailure) await this.#over.promise;
    } else if (result) {
      this.#finish(resultFromProto(result, (id) => this.#find(id)));
    }
    return {};
  }

  async inputs(): Promise<Init<gateway.InputsResponse>> {
    const definitions = [...this.#inputs].map(([name, value]) => [name, definitionToProto(value)] as const);
    return { Definitions: Object.fromEntries(definitions) };
  }

  async evaluate(
    request: gateway.EvaluateRequest,
    signal: AbortSignal,
  ): Promise<Init<gateway.EvaluateResponse>> {
    await this.#find(request.Ref).evaluate(signal);
    return {};
  }

  async readFile(
    { Ref, FilePath, Range }: gateway.ReadFileRequest,
    signal: AbortSignal,
  ): Promise<Init<gateway.ReadFileResponse>> {
    // A length of 0 is no length.
    const range = { offset: Range?.Offset ?? 0, ...(Range?.Length ? { length: Range.Length } : {}) };
    return { Data: await this.#find(Ref).readFile(FilePath, range, signal) };
  }

  async readDir(
    { Ref, DirPath, IncludePattern }: gateway.ReadDirRequest,
    signal: AbortSignal,
  ): Promise<{ readonly entries: readonly TreeStat[] }> {
    return { entries: await this.#find(Ref).readDir(DirPath, IncludePattern || undefined, signal) };
  }

  async statFile(
    { Ref, Path }: gateway.StatFileRequest,
    signal: AbortSignal,
  ): Promise<{ readonly stat: TreeStat }> {
    return { stat: await this.#find(Ref).statFile(Path, signal) };
  }

  async resolveImageConfig(
    request: gateway.ResolveImageConfigRequest,
    signal: AbortSignal,
  ): Promise<Init<gateway.ResolveImageConfigResponse>> {
    const inLayout = request.ResolverType === ociLayoutResolver;
    const scheme = inLayout ? 'oci-layout' : 'docker-image';
    const options = {
      ...(request.Platform ? { platform: decodePlatform(request.Platform) } : {}),
      ...(inLayout ? { ociStore: { sessionId: request.SessionID, storeId: request.StoreID } } : {}),
      resolveMode: request.ResolveMode,
      logName: request.LogName || `resolve image config for ${scheme}://${request.Ref}`,
      sourcePolicies: request.SourcePolicies.map(policyFromProto),
    };
    const { ref, digest, config } = await this.#bridge.resolveImageConfig(request.Ref, options, signal);
    return { Ref: ref, Digest: digest, Config: config };
  }

  async resolveSourceMeta(
    request: gateway.ResolveSourceMetaRequest,
    signal: AbortSignal,
  ): Promise<Init<gateway.ResolveSourceMetaResponse>> {
    if (!request.Source) throw invalid('gateway.invalid', 'source is required');
    if (request.Image?.ResolveAttestations.length) {
      throw unsupported('gateway.attestations', "resolving an image's attestations is not supported yet");
    }
    if (request.HTTP?.ChecksumRequest) {
      throw unsupported('gateway.checksum', 'other checksums of a download are not supported yet');
    }
    const query = {
      ...inquiryFromProto(request),
      policies: request.SourcePolicies.map(policyFromProto),
    };
    const { source, meta } = await this.#bridge.resolveSource(query, signal);
    return metaToProto(source, meta, query.noConfig);
  }

  async warn(request: gateway.WarnRequest): Promise<Init<gateway.WarnResponse>> {
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
    this.#bridge.warn(request.digest as Digest, {
      level: request.level || 1,
      short: text(request.short),
      detail: request.detail.map(text),
      ...(request.url ? { url: request.url } : {}),
      ...(request.info ? { source: sourceInfo(request.info) } : {}),
      ranges: request.ranges.map(sourceRange),
    });
    return {};
  }

  async newContainer(
    request: gateway.NewContainerRequest,
    signal: AbortSignal,
  ): Promise<Init<gateway.NewContainerResponse>> {
    await this.#containers.create(request, signal);
    return {};
  }

  async releaseContainer({
    ContainerID,
  }: gateway.ReleaseContainerRequest): Promise<Init<gateway.ReleaseContainerResponse>> {
    await this.#containers.release(ContainerID);
    return {};
  }

  execProcess(
    stream: MessageDuplex<gateway.ExecMessage, Init<gateway.ExecMessage>>,
    signal: AbortSignal,
  ): Promise<void> {
    return execProcess((id) => this.#containers.find(id), stream, signal);
  }

  /** Its containers go; refs stay with the build. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.resolve();
    await this.#containers[Symbol.asyncDispose]();
  }

  #find(id: string): BridgeRef {
    const ref = this.#bridge.ref(id);
    if (ref) return ref;
    throw notFound('gateway.no-such-ref', `no such ref: ${id || '(scratch)'}`);
  }

  #finish(result: FrontendResult): void {
    this.#checkNotReturned();
    this.#isReturned = true;
    this.#returned.resolve(result);
  }

  #checkNotReturned(): void {
    if (!this.#isReturned) return;
    throw new BuildError('gateway.returned-twice', 'gateway result is already set', {
      grpcCode: 'FailedPrecondition',
    });
  }
}

const ociLayoutResolver = 1;

const enabled = (id: string): Init<caps.APICap> => ({ ID: id, Enabled: true });

const workerRecord = (worker: Gateway['workers'][number]): Init<types.WorkerRecord> => ({
  ID: worker.id,
  Labels: worker.labels,
  platforms: worker.platforms.map((platform) => ({
    OS: platform.os,
    Architecture: platform.architecture,
    Variant: platform.variant ?? '',
    OSVersion: platform.osVersion ?? '',
    OSFeatures: platform.osFeatures ?? [],
  })),
});

function solveRequest(request: gateway.SolveRequest): GatewaySolve {
  const cacheImports = request.CacheImports.map(({ Type, Attrs }) => ({ type: Type, attrs: Attrs }));
  const sourcePolicies = request.SourcePolicies.map(policyFromProto);
  const common = { evaluate: request.Evaluate, cacheImports, sourcePolicies };
  if (request.Frontend !== '') {
    if (request.Definition?.def.length) {
      throw invalid('gateway.invalid', 'cannot solve with both Definition and Frontend specified');
    }
    return {
      ...common,
      frontend: request.Frontend,
      opts: request.FrontendOpt,
      inputs: new Map(
        Object.entries(request.FrontendInputs).map(([name, input]) => [name, definitionFromProto(input)]),
      ),
    };
  }
  return {
    ...common,
    definition: request.Definition
      ? definitionFromProto(request.Definition)
      : { def: [], metadata: new Map() },
  };
}

/** Old clients hand the metadata of their last solve over as JSON of base64. */
function withExporterAttrs(result: FrontendResult, attrs: Uint8Array): FrontendResult {
  if (attrs.length === 0) return result;
  const decoded = parseAttrs(attrs).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const);
  return { ...result, metadata: new Map([...decoded, ...result.metadata]) };
}

function parseAttrs(attrs: Uint8Array): [string, string][] {
  try {
    return Object.entries(JSON.parse(Buffer.from(attrs).toString()) as Record<string, string>);
  } catch (cause) {
    throw invalid('gateway.invalid', 'ExporterAttr is not JSON', { cause });
  }
}
