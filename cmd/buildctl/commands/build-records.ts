/** Follows, pins and deletes records of builds, and shows what they name. BuildKit: cmd/buildctl/debug. */
import type { HistoryApi } from '../../../client/history-api.js';
import { openDisplay, parseProgressMode, show } from '../../../client/progress/index.js';
import { invalid, notFound } from '../../../core/contracts/index.js';
import type { control } from '../../../proto/index.js';
import type { Context } from '../context.js';
import { historyOf, kindOf } from '../history.js';

export async function monitor(
  context: Context,
  options: { readonly completed?: boolean; readonly ref?: string },
): Promise<void> {
  await using daemon = await context.daemon();
  const request = { ActiveOnly: !options.completed, Ref: options.ref ?? '' };
  for await (const event of historyOf(daemon).listen(request, context)) {
    context.stdout.write(`event: ${kindOf(event)} ref:${event.record?.Ref ?? ''}\n`);
    for (const line of event.record ? linesOf(event.record) : []) context.stdout.write(`  ${line}\n`);
  }
}

function* linesOf(record: control.BuildHistoryRecord): Iterable<string> {
  if (record.numTotalSteps) yield `cache: ${record.numCachedSteps}/${record.numTotalSteps}`;
  if (record.numWarnings) yield `warnings: ${record.numWarnings}`;
  if (record.logs) yield `logs: ${blobLine(record.logs)}`;
  if (record.trace) yield `trace: ${blobLine(record.trace)}`;
  if (record.Result) yield* resultLines(record.Result, '');
  for (const [platform, result] of Object.entries(record.Results)) {
    yield* resultLines(result, `[${platform}] `);
  }
}

function* resultLines(result: control.BuildResultInfo, prefix: string): Iterable<string> {
  const results = Object.values(result.Results);
  const descriptors = results.length > 0 ? results : result.ResultDeprecated ? [result.ResultDeprecated] : [];
  for (const descriptor of descriptors) yield `${prefix}descriptor: ${blobLine(descriptor)}`;
  for (const attestation of result.Attestations) yield `${prefix}attestation: ${blobLine(attestation)}`;
}

const blobLine = ({ mediaType, digest, size }: control.Descriptor): string =>
  `${mediaType} ${digest} ${size}`;

export interface ChangeOptions {
  readonly pin?: boolean;
  readonly unpin?: boolean;
  readonly delete?: boolean;
}

export async function changeRecord(context: Context, ref: string, options: ChangeOptions): Promise<void> {
  const { pin = false, unpin = false, delete: remove = false } = options;
  if ([pin, unpin, remove].filter(Boolean).length !== 1) {
    throw invalid('buildctl.option', 'give one of --pin, --unpin and --delete');
  }
  await using daemon = await context.daemon();
  await historyOf(daemon).update({ Ref: ref, Pinned: pin, Delete: remove }, context);
}

/** The progress of a build that runs or has run. */
export async function logs(
  context: Context,
  ref: string,
  options: { readonly progress: string; readonly trace?: boolean },
): Promise<void> {
  await using daemon = await context.daemon();
  if (options.trace) return await writeTrace(context, ref, historyOf(daemon));
  const display = openDisplay(parseProgressMode(options.progress), context.stdout, context.env);
  await show(display, daemon.control.status({ Ref: ref }, context));
}

async function writeTrace(context: Context, ref: string, history: HistoryApi): Promise<void> {
  const trace = await traceOf(context, ref, history);
  await writeBlob(context, trace.digest, history);
}

export async function traceOf(
  context: Context,
  ref: string,
  history: HistoryApi,
): Promise<control.Descriptor> {
  for await (const { record } of history.listen({ Ref: ref, EarlyExit: true }, context)) {
    if (record?.trace) return record.trace;
    throw notFound('buildctl.no-trace', `the build ${ref} has no trace`, {
      hint: 'traces are kept by daemons that have [history] traces = true, or JAEGER_TRACE',
    });
  }
  throw notFound('buildctl.no-build', `there is no build ${ref}`);
}

/** A blob of the daemon's content store, to standard output. */
export async function get(context: Context, digest: string): Promise<void> {
  await using daemon = await context.daemon();
  await writeBlob(context, digest, historyOf(daemon));
}

async function writeBlob({ stdout, signal }: Context, digest: string, history: HistoryApi): Promise<void> {
  for await (const bytes of history.blob(digest, { signal })) {
    if (!stdout.write(bytes)) await new Promise((resolve) => stdout.once('drain', resolve));
  }
}
