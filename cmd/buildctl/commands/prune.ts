import { formatBytes } from '../../../client/progress/units.js';
import { invalid } from '../../../core/contracts/index.js';
import { control, type debug } from '../../../proto/index.js';
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
  /** Say what would go, and remove nothing. */
  readonly dryRun?: boolean;
  /** Why, record by record, also of those that stay. */
  readonly explain?: boolean;
  readonly verbose?: boolean;
  readonly format?: string;
}

const MB = 1e6;
const NS_PER_MS = 1e6;

export async function prune(context: Context, options: PruneOptions): Promise<void> {
  if (options.explain && !options.dryRun)
    throw invalid('buildctl.prune', '--explain needs --dry-run: nothing is removed then');
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
  if (options.dryRun && options.explain) {
    const { verdicts } = await daemon.control.planPrune(request, context);
    print(format ? format(verdicts.map(verdictJson)) : explained(verdicts));
    return;
  }
  const records = options.dryRun
    ? wouldGo(await daemon.control.planPrune(request, context))
    : daemon.control.prune(request, context);
  let total = 0;
  let first = true;
  for await (const record of records) {
    total += record.Size;
    if (format) print(format(usageJson(record)));
    else if (options.verbose) print(usageVerbose(record));
    else print(table(first ? [usageHeader, usageRow(record)] : [usageRow(record)]));
    first = false;
  }
  if (!format) print(`Total:  ${formatBytes(total)}\n`);
}

function* wouldGo({ verdicts }: debug.PlanPruneResponse): Iterable<control.UsageRecord> {
  for (const { record, goes } of verdicts) if (goes && record) yield record;
}

const verdictJson = ({ record, goes, because }: debug.PruneVerdict): unknown => ({
  goes,
  because,
  record: record && usageJson(record),
});

function explained(verdicts: readonly debug.PruneVerdict[]): string {
  const lines = verdicts.map(({ record, goes, because }) => {
    const { ID = '', Size = 0, Description = '' } = record ?? {};
    return `${goes ? 'goes ' : 'stays'} ${ID} ${formatBytes(Size)} ${Description}\n      ${because}\n`;
  });
  const sum = verdicts.reduce((total, { record, goes }) => total + (goes ? (record?.Size ?? 0) : 0), 0);
  return `${lines.join('')}Would free:  ${formatBytes(sum)}\n`;
}
