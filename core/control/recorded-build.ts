/** Tells history of a build: its request at the start, its result and progress at the end. */
import type { control } from '../../proto/index.js';
import { buildStatus } from '../../proto/status.js';
import type { BuildResult, FrontendResult } from '../contracts/index.js';
import type { BuildEnding, Statement } from '../history/build-recording.js';
import type { History } from '../history/history.js';
import type { Job } from '../solver/job.js';
import type { ExportsDone } from './exports.js';
import type { SolvePlan } from './request.js';
import { statusMessages } from './status-stream.js';

/** The caller's signal ends with the call: reading the progress of a job that is over has no end to wait for. */
const always = new AbortController().signal;

const PROVENANCE = 'https://slsa.dev/provenance/';

type Attestations = NonNullable<BuildResult['attestations']>;

export interface RecordedBuild extends Disposable {
  /** Asks for the provenance that was wanted while what it tells of is still there. */
  succeeded(
    result: FrontendResult,
    exported: ExportsDone,
    attestations: Attestations,
    signal: AbortSignal,
  ): Promise<void>;
  failed(error: unknown): void;
}

/** Disposing it hands everything over. The progress may still grow until the job is closed, and is read to its end. */
export function recordBuild(
  history: History,
  plan: SolvePlan,
  request: control.SolveRequest,
  job: Job,
): RecordedBuild {
  if (request.Internal) return unrecorded;
  const recording = history.begin({
    ref: plan.ref,
    frontend: request.Frontend,
    frontendAttrs: request.FrontendAttrs,
    exporters: plan.exporters.map(({ type, attrs }) => ({ Type: type, Attrs: { ...attrs } })),
    traceId: job.span?.context.traceId,
  });
  let ending: Omit<BuildEnding, 'progress'> = { response: {}, results: new Map() };
  return {
    async succeeded(result, { response, results }, attestations, signal) {
      const statements = await provenanceOf(attestations, result.refs !== undefined, signal);
      ending = { response: { ...textsOf(result), ...response }, results, statements };
    },
    failed(error) {
      ending = { ...ending, error: buildStatus(error) };
    },
    [Symbol.dispose]() {
      recording.end({ ...ending, progress: statusMessages(job.progress(always)) });
    },
  };
}

/** Builds that clients make to learn something of the daemon. */
const unrecorded: RecordedBuild = { async succeeded() {}, failed() {}, [Symbol.dispose]() {} };

async function provenanceOf(
  attestations: Attestations,
  byPlatform: boolean,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Statement[]>> {
  const statements = new Map<string, readonly Statement[]>();
  for (const [id, list] of attestations) {
    const wanted = list.filter(({ predicateType }) => predicateType.startsWith(PROVENANCE));
    const made = wanted.map(async (one) => ({
      predicateType: one.predicateType,
      predicate: await one.predicate(signal),
    }));
    statements.set(byPlatform ? id : '', await Promise.all(made));
  }
  return statements;
}

const textsOf = ({ metadata }: FrontendResult): Record<string, string> =>
  Object.fromEntries([...metadata].map(([key, value]) => [key, Buffer.from(value).toString()]));
