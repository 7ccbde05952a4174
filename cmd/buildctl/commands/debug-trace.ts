/** The trace of a build, for Jaeger's UI. */
import { writeFile } from 'node:fs/promises';
import { jaegerJson } from '../../../client/trace/jaeger-json.js';
import { parseSpanStubs } from '../../../client/trace/span-stubs.js';
import type { Context } from '../context.js';
import { historyOf } from '../history.js';
import { traceOf } from './build-records.js';

export async function debugTrace(
  context: Context,
  ref: string,
  options: { readonly output?: string },
): Promise<void> {
  await using daemon = await context.daemon();
  const history = historyOf(daemon);
  // Otherwise the trace of a build that has just ended is still being recorded.
  await history.update({ Ref: ref, Finalize: true }, context);
  const trace = await traceOf(context, ref, history);
  const chunks: Uint8Array[] = [];
  for await (const chunk of history.blob(trace.digest, context)) chunks.push(chunk);
  const json = `${jaegerJson(parseSpanStubs(Buffer.concat(chunks).toString()))}\n`;
  if (options.output) await writeFile(options.output, json);
  else context.stdout.write(json);
}
