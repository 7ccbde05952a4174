/** Records of builds, as commands show them. */
import type { Daemon } from '../../client/daemon.js';
import type { HistoryApi } from '../../client/history-api.js';
import { unsupported } from '../../core/contracts/index.js';
import type { control } from '../../proto/index.js';
import { millisecondsOf } from '../../proto/timestamp.js';

export function historyOf({ control: api, name }: Daemon): HistoryApi {
  if (api.history) return api.history;
  throw unsupported('buildctl.no-history', `${name}: no history of builds is kept here`);
}

const kinds = ['STARTED', 'COMPLETE', 'DELETED'] as const;
export const kindOf = ({ type }: control.BuildHistoryEvent): string => kinds[type] ?? String(type);

export const historyHeader = ['TYPE', 'REF', 'CREATED', 'COMPLETED', 'GENERATION', 'PINNED'] as const;

export function historyRow(event: control.BuildHistoryEvent): string[] {
  const { Ref = '', CreatedAt, CompletedAt, Generation = 0, pinned } = event.record ?? {};
  return [kindOf(event), Ref, time(CreatedAt), time(CompletedAt), String(Generation), pinned ? '*' : ''];
}

type Timestamp = control.BuildHistoryRecord['CreatedAt'];
const time = (timestamp: Timestamp): string =>
  timestamp ? new Date(millisecondsOf(timestamp)).toISOString().replace(/\.\d+Z$/, 'Z') : '';

/** For templates, under the names of Go's JSON; what is empty has a name, but is left out of JSON. */
export const historyJson = ({ type, record }: control.BuildHistoryEvent): unknown => ({
  type: type || undefined,
  record: record && recordJson(record),
});

const recordJson = (record: control.BuildHistoryRecord): unknown => ({
  Ref: filled(record.Ref),
  Frontend: filled(record.Frontend),
  FrontendAttrs: filled(record.FrontendAttrs),
  Exporters: filled(
    record.Exporters.map(({ Type, Attrs }) => ({ Type: filled(Type), Attrs: filled(Attrs) })),
  ),
  error: record.error && { code: filled(record.error.code), message: filled(record.error.message) },
  CreatedAt: timestampJson(record.CreatedAt),
  CompletedAt: timestampJson(record.CompletedAt),
  logs: descriptorJson(record.logs),
  ExporterResponse: filled(record.ExporterResponse),
  Result: resultJson(record.Result),
  Results: filled(mapValues(record.Results, resultJson)),
  Generation: filled(record.Generation),
  trace: descriptorJson(record.trace),
  pinned: filled(record.pinned),
  numCachedSteps: filled(record.numCachedSteps),
  numTotalSteps: filled(record.numTotalSteps),
  numCompletedSteps: filled(record.numCompletedSteps),
  externalError: descriptorJson(record.externalError),
  numWarnings: filled(record.numWarnings),
});

const resultJson = (result: control.BuildResultInfo | undefined): unknown =>
  result && {
    ResultDeprecated: descriptorJson(result.ResultDeprecated),
    Attestations: filled(result.Attestations.map(descriptorJson)),
    Results: filled(mapValues(result.Results, descriptorJson)),
  };

const descriptorJson = (blob: control.Descriptor | undefined): unknown =>
  blob && {
    media_type: filled(blob.mediaType),
    digest: filled(blob.digest),
    size: filled(blob.size),
    annotations: filled(blob.annotations),
  };

const timestampJson = (timestamp: Timestamp): unknown =>
  timestamp && { seconds: filled(timestamp.seconds), nanos: filled(timestamp.nanos) };

/** undefined for what Go leaves out: zero, and what has nothing in it. */
const filled = <T>(value: T): T | undefined =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0
    ? undefined
    : value || undefined;

const mapValues = <T>(map: Readonly<Record<string, T>>, change: (value: T) => unknown): object =>
  Object.fromEntries(
    Object.entries(map)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, change(value)]),
  );
