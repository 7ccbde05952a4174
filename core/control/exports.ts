/** Runs the exporters of a solve over its result and gathers what they answer. */
import {
  BuildError,
  type BuildResult,
  type Contributions,
  type Export,
  type ExportContext,
  type Exporter,
  type ProgressSteps,
  type Session,
  type Tracing,
} from '../contracts/index.js';
import { didYouMean } from '../util/nearest.js';
import { together } from '../util/together.js';
import type { ExporterRequest } from './request.js';

/** Looks every exporter up and parses its attributes, before anything is solved. */
export function openExports(
  requests: readonly ExporterRequest[],
  exporters: Contributions<Exporter>,
): Export[] {
  return requests.map(({ type, attrs }) => {
    const exporter = exporters.get(type);
    if (exporter) return exporter.open(attrs);
    const known = exporters.ids();
    throw new BuildError(
      'exporter.unknown',
      `exporter "${type}" could not be found${didYouMean(type, known)}; there are: ${known.join(', ')}`,
      { grpcCode: 'NotFound' },
    );
  });
}

export interface ExportScope {
  readonly session: () => Promise<Session>;
  readonly steps: ProgressSteps;
  readonly tracing: Tracing;
  readonly inlineCache?: ExportContext['inlineCache'];
  /** Answers response keys. */
  readonly exportCaches: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
}

/** The exclusive parts one after the other, what may overlap at the end. Answers the merged response keys. */
export async function runExports(
  exports: readonly Export[],
  result: BuildResult,
  scope: ExportScope,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const response: Record<string, string> = {};
  for (const [index, one] of exports.entries()) {
    const { session, steps, tracing, inlineCache } = scope;
    const exported = await tracing.trace(one.name, { tags: { exporter: index } }, () =>
      one.run(result, { session, index, steps, ...(inlineCache ? { inlineCache } : {}) }, signal),
    );
    Object.assign(response, exported.response);
  }
  const overlapping = [
    ...exports.map((one) => async (either: AbortSignal) => {
      await one.finalize?.(either);
      return {};
    }),
    scope.exportCaches,
  ];
  return Object.assign(response, ...(await together(overlapping, (work, either) => work(either), signal)));
}
