import { formatBytes } from '../../../client/progress/units.js';
import { formatGoDuration } from '../../../core/util/go-duration.js';
import { formatPlatform, normalizePlatform } from '../../../core/util/platform.js';
import { control, type types } from '../../../proto/index.js';
import type { Context } from '../context.js';
import { formatter } from '../format.js';
import { workerJson } from '../json-shapes.js';
import { table } from '../table.js';

export interface WorkersOptions {
  readonly filter: readonly string[];
  readonly verbose?: boolean;
  readonly format?: string;
}

export async function debugWorkers(context: Context, options: WorkersOptions): Promise<void> {
  const format = options.format && formatter(options.format);
  await using daemon = await context.daemon();
  const request = control.ListWorkersRequest.create({ filter: options.filter });
  const { record: workers } = await daemon.control.listWorkers(request, context);
  const print = (text: string): void => void context.stdout.write(text);
  if (format) print(format(workers.map(workerJson)));
  else if (options.verbose) print(workers.map(verbose).join(''));
  else print(table([['ID', 'PLATFORMS'], ...workers.map((worker) => [worker.ID, platformsOf(worker)])]));
}

const platformsOf = (worker: types.WorkerRecord): string =>
  worker.platforms
    .map(({ OS, Architecture, Variant }) =>
      formatPlatform(
        normalizePlatform({ os: OS, architecture: Architecture, ...(Variant ? { variant: Variant } : {}) }),
      ),
    )
    .join(',');

function verbose(worker: types.WorkerRecord): string {
  const {
    package: name,
    version,
    revision,
  } = worker.BuildkitVersion ?? { package: '', version: '', revision: '' };
  const rows: string[][] = [
    ['ID:', worker.ID],
    ['Platforms:', platformsOf(worker)],
    ['BuildKit:', [name, version, revision].filter(Boolean).join(' ')],
    ['Labels:'],
    ...Object.entries(worker.Labels)
      .sort()
      .map(([key, value]) => [`  ${key}:`, value]),
    ...(worker.CDIDevices.length > 0 ? [['Devices:'], ...worker.CDIDevices.flatMap(deviceRows)] : []),
    ...worker.GCPolicy.flatMap(policyRows),
  ];
  return `${table(rows)}\n`;
}

const deviceRows = ({ Name, AutoAllow, OnDemand, Annotations }: types.CDIDevice): string[][] => [
  ['  Name:', Name],
  OnDemand ? ['  OnDemand:', 'true'] : ['  AutoAllow:', String(AutoAllow)],
  ...Object.entries(Annotations)
    .sort()
    .map(([key, value]) => ['  Annotations:', `${key}: ${value}`]),
];

function policyRows(rule: types.GCPolicy, index: number): string[][] {
  const rows = [[`GC Policy rule#${index}:`], ['  All:', String(rule.all)]];
  if (rule.filters.length > 0) rows.push(['  Filters:', rule.filters.join(' ')]);
  if (rule.keepDuration > 0) rows.push(['  Keep duration:', formatGoDuration(rule.keepDuration / 1e6)]);
  if (rule.reservedSpace > 0) rows.push(['  Reserved space:', formatBytes(rule.reservedSpace)]);
  if (rule.minFreeSpace > 0) rows.push(['  Minimum free space:', formatBytes(rule.minFreeSpace)]);
  if (rule.maxUsedSpace > 0) rows.push(['  Maximum used space:', formatBytes(rule.maxUsedSpace)]);
  return rows;
}
