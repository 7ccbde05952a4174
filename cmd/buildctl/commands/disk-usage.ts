import { compareBytes } from '../../../core/util/compare.js';
import { control } from '../../../proto/index.js';
import type { Context } from '../context.js';
import { formatter } from '../format.js';
import { usageJson } from '../json-shapes.js';
import { table } from '../table.js';
import { usageHeader, usageRow, usageSummary, usageVerbose } from '../usage.js';

export interface DiskUsageOptions {
  readonly filter: readonly string[];
  readonly verbose?: boolean;
  readonly format?: string;
}

export async function diskUsage(context: Context, options: DiskUsageOptions): Promise<void> {
  const format = options.format && formatter(options.format);
  await using daemon = await context.daemon();
  const request = control.DiskUsageRequest.create({ filter: options.filter });
  const { record } = await daemon.control.diskUsage(request, context);
  const records = record.toSorted((a, b) => a.Size - b.Size || compareBytes(a.ID, b.ID));
  const print = (text: string): void => void context.stdout.write(text);
  if (format) return print(format(records.map(usageJson)));
  print(
    options.verbose ? records.map(usageVerbose).join('') : table([usageHeader, ...records.map(usageRow)]),
  );
  if (options.filter.length === 0) print(usageSummary(records));
}
