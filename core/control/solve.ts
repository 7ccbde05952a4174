/** One Control.Solve from request to response. */
import { definitionFromProto } from '../../proto/definition.js';
import type { control } from '../../proto/index.js';
import { type CacheServices, openBuildCaches, type ResultEdges } from '../cache/build-caches.js';
import {
  BuildError,
  type Contributions,
  type Exporter,
  type Frontend,
  type FrontendResult,
  type LlbDefinition,
  type Span,
} from '../contracts/index.js';
import { Bridge } from '../gateway/bridge.js';
import { LlbBridge } from '../gateway/llb-bridge.js';
import type { History } from '../history/history.js';
import type { LlbServices } from '../llb/services.js';
import { attest } from '../provenance/attest.js';
import type { Job } from '../solver/job.js';
import type { Solver } from '../solver/solver.js';
import { unlessAborted } from '../util/deferred.js';
import { DisposeStack } from '../util/dispose.js';
import type { Builds } from './builds.js';
import { openExports, runExports } from './exports.js';
import type { Journal } from './journal.js';
import { recordBuild } from './recorded-build.js';
import { planSolve, type SolvePlan } from './request.js';
import { platformsOf, refsOf, solveResult } from './result.js';

export interface SolveServices {
  readonly solver: Solver;
  readonly llb: LlbServices;
  readonly frontends: Contributions<Frontend>;
  readonly exporters: Contributions<Exporter>;
  readonly caches: CacheServices;
  /** Entitlements that the daemon's configuration lets builds have. */
  readonly allowedEntitlements: readonly string[];
  readonly builds: Builds<Build>;
  readonly journal: Journal;
  readonly history: History;
}

/** A build that runs: what Status and LLBBridge calls find under its ref. */
export interface Build {
  readonly ref: string;
  readonly job: Job;
  /** There while a client builds over LLBBridge. */
  readonly bridge: LlbBridge | undefined;
}

/**
 * How long the progress of a build without a record is kept: clients ask for it while the build begins, and some builds are
 * over by then. BuildKit: solver/jobs.go, Discard.
 */
const LINGER_MS = 10_000;

export async function solve(
  services: SolveServices,
  request: control.SolveRequest,
  signal: AbortSignal,
  span: Span | undefined,
): Promise<control.SolveResponse> {
  const startedAt = Date.now();
  const plan = planSolve(request, services.allowedEntitlements);
  await using owned = new DisposeStack();
  const exports = openExports(plan.exporters, services.exporters);
  const openCaches = openBuildCaches(plan.caches, services.caches);
  for (const one of exports) await owned.use(one);
  const { solver, llb, frontends } = services;
  await using job = solver.openJob(plan.ref, { sessionId: plan.sessionId, ...(span ? { span } : {}) });
  const session = () => llb.sessions.get(plan.sessionId, signal);
  using _traced = llb.sessions.trace(plan.sessionId, span?.context);
  using caches = openCaches(job, session);
  await using partialCaches = caches.partial;
  await using bridge = new Bridge({
    job,
    services: llb,
    frontends,
    sessionId: plan.sessionId,
    entitlements: plan.entitlements,
    policies: plan.policies,
    importCaches: (entries, either) => caches.import(entries, either),
  });
  const inputs = inputsOf(request);
  const holdsFailure = partialCaches.wantsFailure;
  await using remote =
    plan.work.kind === 'gateway' ? new LlbBridge(bridge, inputs, { holdsFailure }) : undefined;
  const lingerMs = request.Internal ? LINGER_MS : 0;
  using _registered = services.builds.add(plan.ref, { ref: plan.ref, job, bridge: remote }, { lingerMs });
  using recording = recordBuild(services.history, plan, request, job);
  partialCaches.begin(signal);
  try {
    const result = await frontendResult(plan, request, bridge, remote, inputs, signal);
    const solved = await solveResult(result, (ref) => bridge.resolve(ref, signal));
    const edges = edgesOf(result, bridge);
    const attestations = await attest(
      result,
      plan.attestations,
      {
        bridge,
        job,
        results: services.caches.results,
        platforms: [...platformsOf(result.metadata)].map(([id, platform]) => ({ id, platform })),
        startedAt,
      },
      signal,
    );
    const scope = {
      session,
      steps: job.steps,
      tracing: llb.tracing,
      span: span?.context,
      ...caches.inline(edges),
      exportCaches: (either: AbortSignal) => caches.export(edges, either),
    };
    const exported = await runExports(exports, { ...solved, attestations }, scope, signal);
    await recording.succeeded(result, exported, attestations, signal);
    return { ExporterResponse: { ...exported.response, ...frontendKeys(result) } };
  } catch (error) {
    // The client of a canceled build is gone. One that leads the build itself may say so before its call ends.
    const canceled = signal.aborted || BuildError.from(error).grpcCode === 'Canceled';
    if (!canceled) await partialCaches.failed(signal);
    recording.failed(error);
    throw error;
  } finally {
    services.journal.record(plan.ref, job.explain());
  }
}

function frontendResult(
  plan: SolvePlan,
  request: control.SolveRequest,
  bridge: Bridge,
  remote: LlbBridge | undefined,
  inputs: ReadonlyMap<string, LlbDefinition>,
  signal: AbortSignal,
): Promise<FrontendResult> {
  if (remote) return unlessAborted(remote.returned, signal);
  const cacheImports = plan.caches.imports;
  if (plan.work.kind === 'frontend') {
    return bridge.solve({ frontend: plan.work.frontend, opts: plan.work.opts, inputs, cacheImports }, signal);
  }
  return bridge.solve({ definition: definitionFromProto(request.Definition!), cacheImports }, signal);
}

const edgesOf = (result: FrontendResult, bridge: Bridge): ResultEdges =>
  new Map([...refsOf(result)].map(([id, ref]) => [id, bridge.edge(ref)]));

const inputsOf = (request: control.SolveRequest): ReadonlyMap<string, LlbDefinition> =>
  new Map(Object.entries(request.FrontendInputs).map(([name, value]) => [name, definitionFromProto(value)]));

/** What a frontend says under `frontend.…` goes through to the client. */
const frontendKeys = ({ metadata }: FrontendResult): Record<string, string> =>
  Object.fromEntries(
    [...metadata]
      .filter(([key]) => key.startsWith('frontend.'))
      .map(([key, value]) => [key, Buffer.from(value).toString()]),
  );
