/** Runs the exporters of a solve over its result and gathers what they answer. */
import {
  BuildError,
  type BuildResult,
  type Contributions,
  type Descriptor,
  type Export,
  type ExportContext,
  type Exporter,
  type ProgressSteps,
  type Session,
  type SpanContext,
  stepsBelow,
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
  /** Of the build; absent: nobody traces it. */
  readonly span: SpanContext | undefined;
  readonly inlineCache?: ExportContext['inlineCache'];
  /** Answers response keys. */
  readonly exportCaches: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
}

export interface ExportsDone {
  /** Of all exporters together. */
  readonly response: Record<string, string>;
  /** The images that were made, by the place of their exporter. */
  readonly results: ReadonlyMap<number, Descriptor>;
}

/** The exclusive parts one after the other, what may overlap at the end. */
export async function runExports(
  exports: readonly Export[],
  result: BuildResult,
  scope: ExportScope,
  signal: AbortSignal,
): Promise<ExportsDone> {
  const response: Record<string, string> = {};
  const results = new Map<number, Descriptor>();
  for (const [index, one] of exports.entries()) {
    const { session, steps, tracing, inlineCache } = scope;
    const options = { parent: scope.span, tags: { exporter: index } };
    const exported = await tracing.trace(one.name, options, ({ context }) => {
      const below = scope.span ? stepsBelow(steps, context) : steps;
      return one.run(
        result,
        { session, index, steps: below, ...(inlineCache ? { inlineCache } : {}) },
        signal,
      );
    });
    Object.assign(response, exported.response);
    const image = exported.response['containerimage.descriptor'];
    if (image !== undefined) results.set(index, JSON.parse(Buffer.from(image, 'base64').toString()));
  }
  const overlapping = [
    ...exports.map((one) => async (either: AbortSignal) => {
      await one.finalize?.(either);
      return {};
    }),
    scope.exportCaches,
  ];
  Object.assign(response, ...(await together(overlapping, (work, either) => work(either), signal)));
  return { response, results };
}
