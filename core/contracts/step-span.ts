/**
 * Which span work is a part of travels with the progress that it reports to: nothing is looked up behind the scenes, which
 * would make everything that awaits anything slower (docs/adr/0012-spans-have-explicit-parents.md).
 */
import type { Progress, ProgressSteps } from './progress.js';
import type { SpanContext, SpanOptions, Tracing } from './tracing.js';

/** The same progress for work that has a span of its own. */
export function withSpan(progress: Progress, span: SpanContext | undefined): Progress {
  if (!span) return progress;
  const { resume } = progress;
  return {
    span,
    status: (id, update) => progress.status(id, update),
    log: (stream, data) => progress.log(stream, data),
    warn: (warning) => progress.warn(warning),
    ...(resume ? { resume: () => resume.call(progress) } : {}),
  };
}

/** Steps whose work has its spans below `span`. */
export const stepsBelow = (steps: ProgressSteps, span: SpanContext | undefined): ProgressSteps =>
  span
    ? {
        step: (name, work, options) =>
          steps.step(name, (progress) => work(withSpan(progress, span)), options),
      }
    : steps;

/** Runs `work` in a span below that of `progress`. Without one nobody traces the build, and there is no span. */
export function traceBelow<T>(
  tracing: Tracing,
  name: string,
  tags: NonNullable<SpanOptions['tags']>,
  progress: Progress,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const parent = progress.span;
  if (!parent) return work(progress);
  return tracing.trace(name, { parent, tags }, ({ context }) => work(withSpan(progress, context)));
}
