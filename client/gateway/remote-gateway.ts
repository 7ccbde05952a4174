/**
 * The {@link Gateway} of a frontend that is no part of the daemon: the same port, so that a frontend does not see where it
 * runs. BuildKit: frontend/gateway/grpcclient/client.go.
 */
import {
  type BuildError,
  type ContainerRequest,
  type FrontendRequest,
  type FrontendResult,
  type Gateway,
  type GatewayContainer,
  type GatewaySolve,
  invalid,
  type LlbDefinition,
  type ResolvedImage,
  type ResolveImageOptions,
  unsupported,
  type Warning,
} from '../../core/contracts/index.js';
import type { Digest } from '../../core/util/digest.js';
import {
  formatImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../core/util/image-reference.js';
import type { Platform } from '../../core/util/platform.js';
import { definitionFromProto, definitionToProto } from '../../proto/definition.js';
import { resultFromProto, resultToProto } from '../../proto/frontend-result.js';
import { type gateway, type Init, pb } from '../../proto/index.js';
import { LLBBridge } from '../../proto/services.js';
import { policyToProto } from '../../proto/source-policy.js';
import { buildStatus } from '../../proto/status.js';
import type { BridgeConnection } from './connection.js';
import { RemoteContainers } from './remote-container.js';
import { RemoteRef } from './remote-ref.js';

const OCI_LAYOUT = 1;

export class RemoteGateway implements Gateway, AsyncDisposable {
  readonly sessionId: string;
  readonly workers: Gateway['workers'];
  readonly llbCaps: ReadonlySet<string>;
  readonly #caps: ReadonlySet<string>;
  readonly #connection: BridgeConnection;
  readonly #containers: RemoteContainers;
  /** Calls whose answers nobody waits for until the end. */
  readonly #warnings: Promise<unknown>[] = [];

  private constructor(connection: BridgeConnection, sessionId: string, pong: gateway.PongResponse) {
    this.#connection = connection;
    this.sessionId = sessionId;
    this.workers = pong.Workers.map(({ ID, Labels, platforms }) => ({
      id: ID,
      labels: Labels,
      platforms: platforms.map(platformFromProto),
    }));
    this.llbCaps = new Set(pong.LLBCaps.filter(({ Enabled }) => Enabled).map(({ ID }) => ID));
    this.#caps = new Set(pong.FrontendAPICaps.filter(({ Enabled }) => Enabled).map(({ ID }) => ID));
    this.#containers = new RemoteContainers(connection);
  }

  static async open(
    connection: BridgeConnection,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RemoteGateway> {
    return new RemoteGateway(connection, sessionId, await connection.unary(LLBBridge.Ping, {}, signal));
  }

  /** What the client handed in. */
  async inputs(signal: AbortSignal): Promise<FrontendRequest['inputs']> {
    if (!this.#caps.has('frontend.inputs')) return new Map();
    const { Definitions } = await this.#connection.unary(LLBBridge.Inputs, {}, signal);
    return new Map(
      Object.entries(Definitions).map(([name, value]) => [name, definitionFromProto(value)] as const),
    );
  }

  async solve(request: GatewaySolve, signal: AbortSignal): Promise<FrontendResult> {
    const evaluate = request.evaluate ?? false;
    if (request.sourcePolicies?.length && !this.llbCaps.has('source.policy')) throw lacks('source.policy');
    if (request.cacheImports?.length) this.#need('importcaches');
    const message: Init<gateway.SolveRequest> = {
      ...workOf(request),
      allowResultReturn: true,
      allowResultArrayRef: true,
      Evaluate: evaluate,
      CacheImports: (request.cacheImports ?? []).map(({ type, attrs }) => ({ Type: type, Attrs: attrs })),
      SourcePolicies: (request.sourcePolicies ?? []).map(policyToProto),
    };
    const { result } = await this.#connection.unary(LLBBridge.Solve, message, signal);
    if (!result) throw invalid('gateway.invalid', 'the daemon answered a solve with nothing');
    const solved = resultFromProto(
      result,
      (id) => new RemoteRef(id, definitions(result).get(id), this.#connection),
    );
    // Daemons that do not know the field yet solve lazily.
    if (evaluate && !this.#caps.has('gateway.solve.evaluate')) {
      const refs = [solved.ref, ...(solved.refs?.values() ?? [])];
      await Promise.all(refs.map((ref) => ref?.statFile('/', signal)));
    }
    return solved;
  }

  async resolveImageConfig(
    ref: string,
    { platform, resolveMode, logName, ociStore, sourcePolicies }: ResolveImageOptions,
    signal: AbortSignal,
  ): Promise<ResolvedImage> {
    const answer = await this.#connection.unary(
      LLBBridge.ResolveImageConfig,
      {
        Ref: ociStore ? ref : fullReference(ref),
        ...(platform ? { Platform: platformToProto(platform) } : {}),
        ResolveMode: resolveMode ?? '',
        LogName: logName ?? '',
        SourcePolicies: (sourcePolicies ?? []).map(policyToProto),
        ...(ociStore
          ? { ResolverType: OCI_LAYOUT, SessionID: ociStore.sessionId, StoreID: ociStore.storeId }
          : {}),
      },
      signal,
    );
    return { ref: answer.Ref || ref, digest: answer.Digest as Digest, config: answer.Config };
  }

  warn(definition: Digest, warning: Warning): void {
    if (!this.#caps.has('gateway.warnings')) return;
    const call = this.#connection.unary(LLBBridge.Warn, warnRequest(definition, warning), never);
    // A failure is thrown by `settled`, which waits for all of them; until then it is no unhandled one.
    call.catch(() => {});
    this.#warnings.push(call);
  }

  newContainer(request: ContainerRequest, signal: AbortSignal): Promise<GatewayContainer> {
    this.#need('gateway.exec');
    return this.#containers.create(request, signal);
  }

  /** What `work` answers, once its warnings are told as well. */
  async settled(work: () => Promise<FrontendResult>): Promise<FrontendResult> {
    const result = await work();
    await Promise.all(this.#warnings);
    return result;
  }

  /** Ends the build with what `work` answers, or the error it throws. */
  async finish(work: () => Promise<FrontendResult>, signal: AbortSignal): Promise<void> {
    const message = await outcome(() => this.settled(work));
    await this.#connection.unary(LLBBridge.Return, message, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#containers[Symbol.asyncDispose]();
  }

  #need(cap: string): void {
    if (!this.#caps.has(cap)) throw lacks(cap);
  }
}

const lacks = (cap: string): BuildError =>
  unsupported('gateway.cap', `the daemon lacks the capability ${cap}, which this frontend needs`);

/** Some daemons take only what is written out. */
function fullReference(ref: string): string {
  try {
    return formatImageReference(withDefaultTag(parseImageReference(ref)));
  } catch (cause) {
    throw invalid('gateway.reference', `${ref}: ${(cause as Error).message}`, { cause });
  }
}

const never = new AbortController().signal;

async function outcome(work: () => Promise<FrontendResult>): Promise<Init<gateway.ReturnRequest>> {
  try {
    return { result: resultToProto(await work(), true) };
  } catch (error) {
    return { error: buildStatus(error) };
  }
}

const workOf = (request: GatewaySolve): Init<gateway.SolveRequest> =>
  'definition' in request
    ? { Definition: definitionToProto(request.definition) }
    : {
        Frontend: request.frontend,
        FrontendOpt: request.opts,
        FrontendInputs: Object.fromEntries(
          [...(request.inputs ?? [])].map(([name, value]) => [name, definitionToProto(value)]),
        ),
      };

function definitions(result: gateway.Result): ReadonlyMap<string, LlbDefinition> {
  const attested = Object.values(result.attestations).flatMap(({ attestation }) =>
    attestation.flatMap(({ ref }) => ref ?? []),
  );
  const refs = [...(result.ref ? [result.ref] : []), ...Object.values(result.refs?.refs ?? {}), ...attested];
  return new Map(refs.flatMap(({ id, def }) => (def ? [[id, definitionFromProto(def)] as const] : [])));
}

const platformFromProto = (platform: pb.Platform): Platform => ({
  os: platform.OS,
  architecture: platform.Architecture,
  ...(platform.Variant ? { variant: platform.Variant } : {}),
  ...(platform.OSVersion ? { osVersion: platform.OSVersion } : {}),
  ...(platform.OSFeatures.length > 0 ? { osFeatures: platform.OSFeatures } : {}),
});

const platformToProto = (platform: Platform): Init<pb.Platform> => ({
  OS: platform.os,
  Architecture: platform.architecture,
  Variant: platform.variant ?? '',
  OSVersion: platform.osVersion ?? '',
  OSFeatures: [...(platform.osFeatures ?? [])],
});

const warnRequest = (
  digest: Digest,
  { level, short, detail, url, source, ranges }: Warning,
): Init<gateway.WarnRequest> => ({
  digest,
  level,
  short: Buffer.from(short),
  detail: detail.map((text) => Buffer.from(text)),
  url: url ?? '',
  ...(source
    ? {
        info: {
          filename: source.filename,
          data: source.data,
          language: source.language ?? '',
          ...(source.definition ? { definition: pb.Definition.decode(source.definition) } : {}),
        },
      }
    : {}),
  ranges: [...(ranges ?? [])],
});
