/** How records of the cache are shown by du and prune. */
import { formatBytes } from '../../client/progress/units.js';
import type { control } from '../../proto/index.js';
import { millisecondsOf } from '../../proto/timestamp.js';
import { table } from './table.js';

export const usageHeader = ['ID', 'RECLAIMABLE', 'SIZE', 'LAST ACCESSED'] as const;

/** `*` after the id: mutable; after the size: shared. */
export const usageRow = (record: control.UsageRecord): string[] => [
  record.Mutable ? `${record.ID}*` : record.ID,
  String(!record.InUse),
  `${formatBytes(record.Size)}${record.Shared ? '*' : ''}`,
  record.LastUsedAt ? ago(millisecondsOf(record.LastUsedAt)) : '',
];

/** Every field on a line of its own, an empty line after each record. */
export function usageVerbose(record: control.UsageRecord): string {
  const rows: [string, string][] = [['ID:', record.ID]];
  if (record.Parents.length > 0) rows.push(['Parents:', record.Parents.join(';')]);
  if (record.CreatedAt) rows.push(['Created at:', date(record.CreatedAt)]);
  rows.push(
    ['Mutable:', String(record.Mutable)],
    ['Reclaimable:', String(!record.InUse)],
    ['Shared:', String(record.Shared)],
    ['Size:', formatBytes(record.Size)],
  );
  if (record.Description) rows.push(['Description:', record.Description]);
  rows.push(['Usage count:', String(record.UsageCount)]);
  if (record.LastUsedAt) rows.push(['Last used:', date(record.LastUsedAt)]);
  if (record.RecordType) rows.push(['Type:', record.RecordType]);
  return `${table(rows)}\n`;
}

/** Sums over all records. */
export function usageSummary(records: readonly control.UsageRecord[]): string {
  const sum = (wanted: (record: control.UsageRecord) => boolean): number =>
    records.reduce((total, record) => total + (wanted(record) ? Math.max(record.Size, 0) : 0), 0);
  const total = sum(() => true);
  const shared = sum(({ Shared }) => Shared);
  const rows: [string, string][] = [];
  if (shared > 0) rows.push(['Shared:', formatBytes(shared)], ['Private:', formatBytes(total - shared)]);
  rows.push(['Reclaimable:', formatBytes(sum(({ InUse }) => !InUse))], ['Total:', formatBytes(total)]);
  return table(rows);
}

const date = (timestamp: NonNullable<control.UsageRecord['CreatedAt']>): string =>
  new Date(millisecondsOf(timestamp)).toISOString();

const units: readonly [name: string, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

function ago(ms: number): string {
  const seconds = Math.max(Math.floor((Date.now() - ms) / 1000), 0);
  const [name, size] = units.find(([, length]) => seconds >= length) ?? ['second', 1];
  const count = Math.floor(seconds / size);
  return `${count} ${name}${count === 1 ? '' : 's'} ago`;
}
