/**
 * What a frontend talks to while it builds: the in-process side of LLBBridge. One bridge serves one build, nested
 * frontends included. BuildKit: solver/llbsolver/bridge.go.
 */
import { containerToProto } from '../../proto/container.js';
import { gateway } from '../../proto/index.js';
import { BuildError, invalid, isCanceled, unsupported } from '../contracts/errors.js';
import type {
  CacheEntry,
  Frontend,
  FrontendResult,
  Gateway,
  GatewayRef,
  GatewaySolve,
  LlbDefinition,
  ResolvedImage,
  ResolveImageOptions,
} from '../contracts/frontend.js';
import type { ContainerRequest, GatewayContainer } from '../contracts/gateway-container.js';
import type { Warning } from '../contracts/progress.js';
import type { ImmutableRef } from '../contracts/refs.js';
import type { SourcePolicy } from '../contracts/source-policy.js';
import type { Contributions } from '../contracts/token.js';
import { llbCaps } from '../llb/caps.js';
import { loadLlb } from '../llb/load.js';
import { splitIdentifier } from '../llb/ops/source.js';
import type { LlbServices } from '../llb/services.js';
import type { Edge } from '../solver/op.js';
import type { Digest } from '../util/digest.js';
import { DisposeStack } from '../util/dispose.js';
import { newId } from '../util/identity.js';
import { didYouMean } from '../util/nearest.js';
import type { Platform } from '../util/platform.js';
import { BridgeRef } from './bridge-ref.js';
import { BuildScope } from './build-scope.js';
import { Containers } from './containers.js';
import { FailedTrees } from './failed-trees.js';
import type { BridgeJob } from './job.js';
import { withSource } from './source-map.js';
import type { BuildPolicies } from './source-policies.js';
import { type ResolvedSource, type SourceQuery, SourceResolver } from './source-resolver.js';

export interface BridgeOptions {
  readonly job: BridgeJob;
  readonly services: LlbServices;
  readonly frontends: Contributions<Frontend>;
  /** The client's session. */
  readonly sessionId: string;
  /** Granted to this build. */
  readonly entitlements: ReadonlySet<string>;
  /** On the sources of this build. */
  readonly policies?: BuildPolicies;
  /** Makes the job's solves look into these caches too; without it, requests that name caches are refused. */
  readonly importCaches?: (entries: readonly CacheEntry[], signal: AbortSignal) => Promise<void>;
}

/** What steps of a definition may need of this daemon. */
const workingCaps: ReadonlySet<string> = new Set(
  llbCaps.filter(({ working }) => working).map(({ id }) => id),
);

export class Bridge implements Gateway, AsyncDisposable {
  readonly sessionId: string;
  readonly llbCaps = workingCaps;
  readonly #options: BridgeOptions;
  readonly #refs: Map<string, BridgeRef>;
  readonly #held: DisposeStack;
  readonly #sources: SourceResolver;
  readonly #failedTrees: FailedTrees;
  /** What was asked for through this bridge. */
  readonly scope: BuildScope;
  #containers: Containers | undefined;

  /** With `outer`, this is what a frontend talks to: the same build, seen in a scope of its own. */
  constructor(options: BridgeOptions, outer?: { readonly bridge: Bridge; readonly scope: BuildScope }) {
    this.sessionId = options.sessionId;
    this.#options = options;
    this.scope = outer?.scope ?? new BuildScope();
    if (outer) {
      this.#refs = outer.bridge.#refs;
      this.#held = outer.bridge.#held;
      this.#sources = outer.bridge.#sources;
      this.#failedTrees = outer.bridge.#failedTrees;
      return;
    }
    this.#refs = new Map();
    this.#held = new DisposeStack();
    this.#sources = new SourceResolver({ policies: {}, ...options });
    this.#failedTrees = new FailedTrees(options.services.workers);
    void this.#held.use(this.#failedTrees);
  }

  /** The default one first. */
  get workers(): Gateway['workers'] {
    return this.#options.services.workers.list.map(({ profile }) => profile);
  }

  get cacheImports(): boolean {
    return this.#options.importCaches !== undefined;
  }

  async solve(request: GatewaySolve, signal: AbortSignal): Promise<FrontendResult> {
    const imported = this.#importCaches(request.cacheImports ?? [], signal);
    // A frontend reads its files meanwhile: its own solves wait.
    if ('definition' in request) await imported;
    else imported.catch(() => {});
    const result =
      'definition' in request
        ? await this.#open(request, signal)
        : await this.#solveFrontend(request, signal);
    if (request.evaluate) await Promise.all(refsOf(result).map((ref) => ref?.evaluate(signal)));
    return result;
  }

  async resolveImageConfig(
    name: string,
    options: ResolveImageOptions,
    signal: AbortSignal,
  ): Promise<ResolvedImage> {
    const image = await this.#sources.image(name, options, signal);
    this.#looked(options.ociStore ? 'oci-layout' : 'docker-image', image.ref, image.digest, options.platform);
    return image;
  }

  /** What a source knows of itself without being fetched. */
  async resolveSource(query: SourceQuery, signal: AbortSignal): Promise<ResolvedSource> {
    const resolved = await this.#sources.resolve(query, signal);
    const { source, meta } = resolved;
    const { scheme, name } = splitIdentifier(source.identifier);
    if (meta.image) this.#looked(scheme, name, meta.image.digest, query.platform);
    return resolved;
  }

  warn(definition: Digest, warning: Warning): void {
    this.#options.job.warn(definition, warning);
  }

  async newContainer(request: ContainerRequest, signal: AbortSignal): Promise<GatewayContainer> {
    const bytes = gateway.NewContainerRequest.encode(containerToProto(newId(), request)).finish();
    this.#containers ??= await this.#held.use(this.openContainers());
    return this.#containers.create(gateway.NewContainerRequest.decode(bytes), signal);
  }

  /** For one frontend; the caller's to dispose. */
  openContainers(): Containers {
    const { services, job, entitlements } = this.#options;
    const findTree = (id: string, signal: AbortSignal) => this.#tree(id, signal);
    return new Containers({ services, sessions: job.sessions, entitlements, findTree });
  }

  /** A ref by the id it was handed out under. */
  ref(id: string): BridgeRef | undefined {
    return this.#refs.get(id);
  }

  /** A ref that a frontend of this build returned. */
  owned(ref: GatewayRef): BridgeRef {
    return this.#own(ref);
  }

  /** Solves what a frontend returned. The tree is borrowed from the bridge. */
  async resolve(ref: GatewayRef | undefined, signal: AbortSignal): Promise<ImmutableRef | undefined> {
    return ref && this.#own(ref).result(signal);
  }

  /** The step whose result a ref is; undefined for scratch. */
  edge(ref: GatewayRef | undefined): Edge | undefined {
    return ref && this.#own(ref).edge;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#refs.clear();
    await this.#held[Symbol.asyncDispose]();
  }

  #looked(scheme: string, ref: string, digest: Digest, platform: Platform | undefined): void {
    this.scope.looked({ ref, digest, platform, local: scheme !== 'docker-image' });
  }

  async #tree(id: string, signal: AbortSignal): Promise<ImmutableRef | undefined> {
    const ref = this.#refs.get(id);
    return ref ? ref.result(signal) : this.#failedTrees.get(id);
  }

  #own(ref: GatewayRef): BridgeRef {
    const own = this.#refs.get(ref.id);
    if (own) return own;
    throw invalid('gateway.foreign-ref', `ref ${ref.id} does not belong to this build, or the build is over`);
  }

  async #open(
    {
      definition,
      sourcePolicies = [],
      explain,
    }: Extract<GatewaySolve, { readonly definition: LlbDefinition }>,
    signal: AbortSignal,
  ): Promise<FrontendResult> {
    const { job, services } = this.#options;
    const metadata = new Map<string, Uint8Array>();
    const { edge, loaded } = await this.#load(definition, sourcePolicies, signal);
    if (!edge) return { ref: undefined, metadata };
    const ref = await this.#held.use(
      new BridgeRef({ definition, loaded }, edge, {
        job,
        workers: services.workers,
        failedTrees: this.#failedTrees,
        explain,
        scope: this.scope,
      }),
    );
    this.scope.opened(ref);
    if (!this.#held.disposed) this.#refs.set(ref.id, ref);
    return { ref, metadata };
  }

  /** `loaded` is what policies made of the definition: errors and source maps go by its digests. */
  async #load(
    definition: LlbDefinition,
    policies: readonly SourcePolicy[],
    signal: AbortSignal,
  ): Promise<{ readonly edge: Edge | undefined; readonly loaded: LlbDefinition }> {
    let loaded = definition;
    try {
      loaded = await this.#applyPolicies(definition, policies, signal);
      const rewrite = (nested: LlbDefinition, stop: AbortSignal): Promise<LlbDefinition> =>
        this.#applyPolicies(nested, policies, stop);
      return { edge: loadLlb(loaded, this.#options.services, { ...this.#options, rewrite }), loaded };
    } catch (error) {
      throw withSource(error, loaded);
    }
  }

  async #applyPolicies(
    definition: LlbDefinition,
    policies: readonly SourcePolicy[],
    signal: AbortSignal,
  ): Promise<LlbDefinition> {
    try {
      return await this.#sources.policies.apply(definition, policies, signal);
    } catch (error) {
      throw BuildError.from(error).wrap('failed to load LLB');
    }
  }

  async #solveFrontend(
    request: Extract<GatewaySolve, { readonly frontend: string }>,
    signal: AbortSignal,
  ): Promise<FrontendResult> {
    const { frontends, services } = this.#options;
    const frontend = frontends.get(request.frontend);
    if (!frontend) throw unknownFrontend(request.frontend, frontends.ids());
    const { opts, inputs = new Map() } = request;
    const scope = this.scope.enter({ frontend: request.frontend, opts });
    const inner = new Bridge(this.#options, { bridge: this, scope });
    try {
      const parent = this.#options.job.span?.context;
      return await services.tracing.trace(`frontend ${request.frontend}`, { parent }, () =>
        frontend.solve(inner, { opts, inputs }, signal),
      );
    } catch (error) {
      if (isCanceled(error)) throw error;
      const { source } = opts;
      const detail = { type: 'frontend', name: request.frontend, ...(source ? { source } : {}) } as const;
      throw BuildError.from(error).wrap(undefined, detail);
    }
  }

  async #importCaches(entries: readonly CacheEntry[], signal: AbortSignal): Promise<void> {
    const { importCaches } = this.#options;
    if (!importCaches && entries.length === 0) return;
    if (!importCaches) throw unsupported('gateway.cache-imports', 'cache imports are not supported here');
    await importCaches(entries, signal);
  }
}

const refsOf = (result: FrontendResult): (GatewayRef | undefined)[] => [
  result.ref,
  ...(result.refs?.values() ?? []),
];

function unknownFrontend(name: string, known: readonly string[]): BuildError {
  return invalid('frontend.unknown', `no frontend is called "${name}"${didYouMean(name, known)}`, {
    hint: `Frontends of this daemon: ${known.join(', ') || 'none'}.`,
  });
}
