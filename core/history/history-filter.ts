/**
 * Filters of records: `ref==`, `status==`, `repository~=` in containerd's language, `startedAt>`, `completedAt<` with a
 * time or an age, `duration>`. Fields of one filter must all hold, one of several filters has to.
 * BuildKit: solver/llbsolver/history.go.
 */
import { millisecondsOf } from '../../proto/timestamp.js';
import { invalid } from '../contracts/index.js';
import { csvFields } from '../util/csv.js';
import { parseFilter } from '../util/filter.js';
import { parseGoDuration } from '../util/go-duration.js';
import type { BuildRecord } from './history-book.js';

export type RecordFilter = (record: BuildRecord) => boolean;

export function historyFilter(texts: readonly string[], now: number): RecordFilter {
  const filters = texts.map((text) => parseOne(text, now));
  return (record) => filters.length === 0 || filters.some((holds) => holds(record));
}

/** The newest `limit` of them, newest first; all of them, in their order, with 0. */
export function newest(records: readonly BuildRecord[], limit: number): readonly BuildRecord[] {
  if (limit < 0) throw invalid('control.history-limit', `invalid limit ${limit}`);
  if (limit === 0) return records;
  return [...records].sort((a, b) => startOf(b) - startOf(a)).slice(0, limit);
}

function parseOne(text: string, now: number): RecordFilter {
  const fields = csvFields(text, (why) => badFilter(text, why));
  const timed = fields.map((field) => timeFilter(field, now));
  const rest = fields.filter((_, i) => timed[i] === undefined).join(',');
  const holds = [...timed.filter((filter) => filter !== undefined), fieldFilter(rest, text)];
  return (record) => holds.every((one) => one(record));
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
};

/** undefined: this field is none about time. Points in time count in whole seconds, as in BuildKit. */
function timeFilter(field: string, now: number): RecordFilter | undefined {
  const match = /^(startedAt|completedAt|duration)(>=|<=|>|<)(.*)$/.exec(field);
  if (!match) return undefined;
  const [, key, operator, value] = match as unknown as [string, string, string, string];
  const holds = comparisons[operator]!;
  const duration = parseGoDuration(value);
  if (key === 'duration') {
    if (duration === undefined) throw badFilter(field, `invalid duration ${value}`);
    return (record) =>
      holds(record.CompletedAt ? millisecondsOf(record.CompletedAt) - startOf(record) : 0, duration);
  }
  const point = duration === undefined ? Date.parse(value) : now - duration;
  if (Number.isNaN(point)) throw badFilter(field, `invalid time ${value}`);
  const seconds = Math.floor(point / 1000);
  const at = key === 'startedAt' ? 'CreatedAt' : 'CompletedAt';
  return (record) => holds(record[at]?.seconds ?? 0, seconds);
}

function fieldFilter(text: string, whole: string): RecordFilter {
  try {
    const filter = parseFilter(text);
    return (record) => filter(([field]) => fieldOf(record, field));
  } catch (error) {
    throw badFilter(whole, error instanceof Error ? error.message : String(error), error);
  }
}

function fieldOf(record: BuildRecord, field: string | undefined): string | undefined {
  switch (field) {
    case 'ref':
      return record.Ref;
    case 'status':
      return statusOf(record);
    case 'repository':
      return record.FrontendAttrs['vcs:source'] ?? remoteOf(record.FrontendAttrs.context);
    default:
      return undefined;
  }
}

function statusOf({ CompletedAt, error }: BuildRecord): string {
  if (!CompletedAt) return 'running';
  if (!error) return 'completed';
  return error.message.includes('context canceled') ? 'canceled' : 'error';
}

/** A context that is a repository, without the commit and folder behind `#`. */
function remoteOf(context: string | undefined): string | undefined {
  if (context === undefined || !/^(?:[a-z+]+:\/\/|[^/@\s]+@[^/:\s]+:)/.test(context)) return undefined;
  return context.split(/[#?]/)[0];
}

export const startOf = ({ CreatedAt }: BuildRecord): number => (CreatedAt ? millisecondsOf(CreatedAt) : 0);

const badFilter = (text: string, why: string, cause?: unknown): Error =>
  invalid('control.history-filter', `cannot read the history filter ${text}: ${why}`, { cause });
