/** Lists and removes records of builds. BuildKit: cmd/buildctl/debug/histories.go, prunehistories.go. */
import type { control } from '../../../proto/index.js';
import type { Context } from '../context.js';
import { formatter } from '../format.js';
import { historyHeader, historyJson, historyOf, historyRow } from '../history.js';
import { table } from '../table.js';

export interface HistoryOptions {
  readonly format?: string;
}

export async function histories(context: Context, options: HistoryOptions): Promise<void> {
  const format = options.format ? formatter(options.format) : undefined;
  await using daemon = await context.daemon();
  const events = historyOf(daemon).listen({ EarlyExit: true }, context);
  await show(events, format, context);
}

/** Pinned ones stay. */
export async function pruneHistories(context: Context, options: HistoryOptions): Promise<void> {
  const format = options.format ? formatter(options.format) : undefined;
  await using daemon = await context.daemon();
  const history = historyOf(daemon);
  const removed: control.BuildHistoryEvent[] = [];
  for await (const event of history.listen({ EarlyExit: true }, context)) {
    if (!event.record || event.record.pinned) continue;
    await history.update({ Ref: event.record.Ref, Delete: true }, context);
    removed.push(event);
  }
  await show(removed, format, context);
}

async function show(
  events: AsyncIterable<control.BuildHistoryEvent> | Iterable<control.BuildHistoryEvent>,
  format: ((value: unknown) => string) | undefined,
  { stdout }: Context,
): Promise<void> {
  const rows: (readonly string[])[] = [historyHeader];
  for await (const event of events) {
    if (format) stdout.write(format(historyJson(event)));
    else rows.push(historyRow(event));
  }
  if (!format) stdout.write(table(rows));
}
