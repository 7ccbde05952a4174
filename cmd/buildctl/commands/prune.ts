import { formatBytes } from '../../../client/progress/units.js';
import { control } from '../../../proto/index.js';
import type { Context } from '../context.js';
import { parseDuration } from '../duration.js';
import { formatter } from '../format.js';
import { usageJson } from '../json-shapes.js';
import { table } from '../table.js';
import { usageHeader, usageRow, usageVerbose } from '../usage.js';

export interface PruneOptions {
  readonly filter: readonly string[];
  readonly all?: boolean;
  readonly keepDuration?: string;
  /** In MB. */
  readonly keepStorage?: number;
  readonly keepStorageMin?: number;
  readonly freeStorage?: number;
  readonly verbose?: boolean;
  readonly format?: string;
}

const MB = 1e6;
const NS_PER_MS = 1e6;

export async function prune(context: Context, options: PruneOptions): Promise<void> {
  const format = options.format && formatter(options.format);
  await using daemon = await context.daemon();
  const request = control.PruneRequest.create({
    filter: options.filter,
    all: options.all ?? false,
    keepDuration: parseDuration('keep-duration', options.keepDuration ?? '0') * NS_PER_MS,
    reservedSpace: Math.round((options.keepStorageMin ?? 0) * MB),
    maxUsedSpace: Math.round((options.keepStorage ?? 0) * MB),
    minFreeSpace: Math.round((options.freeStorage ?? 0) * MB),
  });
  const print = (text: string): void => void context.stdout.write(text);
  let total = 0;
  let first = true;
  for await (const record of daemon.control.prune(request, context)) {
    total += record.Size;
    if (format) print(format(usageJson(record)));
    else if (options.verbose) print(usageVerbose(record));
    else print(table(first ? [usageHeader, usageRow(record)] : [usageRow(record)]));
    first = false;
  }
  if (!format) print(`Total:  ${formatBytes(total)}\n`);
}
