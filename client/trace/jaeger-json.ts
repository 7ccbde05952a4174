/** Spans as Jaeger's UI reads them from a file ("Upload" beside "Search"), and as its query service answers them. */
import type { SpanStub, StubAttribute } from './span-stubs.js';

const NO_SPAN = '0'.repeat(16);
const kinds: Readonly<Record<number, string>> = { 2: 'server', 3: 'client' };
const types: Readonly<Record<string, string>> = { BOOL: 'bool', INT64: 'int64', FLOAT64: 'float64' };

interface Tag {
  readonly key: string;
  readonly type: string;
  readonly value: unknown;
}

export function jaegerJson(stubs: readonly SpanStub[]): string {
  const traces = new Map<string, SpanStub[]>();
  for (const stub of stubs) {
    const { TraceID } = stub.SpanContext;
    traces.set(TraceID, [...(traces.get(TraceID) ?? []), stub]);
  }
  const data = [...traces].map(([traceID, spans]) => traceOf(traceID, spans));
  return JSON.stringify({ data, total: 0, limit: 0, offset: 0, errors: null });
}

function traceOf(traceID: string, stubs: readonly SpanStub[]): object {
  const processes: Record<string, object> = {};
  const ids = new Map<string, string>();
  const processOf = (stub: SpanStub): string => {
    const tags = tagsOf(stub.Resource);
    const key = JSON.stringify(tags);
    const id = ids.get(key) ?? `p${ids.size + 1}`;
    ids.set(key, id);
    const serviceName = String(tags.find((tag) => tag.key === 'service.name')?.value ?? 'unknown');
    processes[id] = { serviceName, tags: tags.filter((tag) => tag.key !== 'service.name') };
    return id;
  };
  const spans = stubs.map((stub) => ({
    ...spanOf(traceID, stub),
    processID: processOf(stub),
    warnings: null,
  }));
  return { traceID, spans, processes, warnings: null };
}

function spanOf(traceID: string, stub: SpanStub): object {
  const started = microseconds(stub.StartTime);
  const parent = stub.Parent.SpanID;
  return {
    traceID,
    spanID: stub.SpanContext.SpanID,
    flags: 1,
    operationName: stub.Name,
    references: [
      ...(parent === NO_SPAN ? [] : [{ refType: 'CHILD_OF', traceID, spanID: parent }]),
      ...(stub.Links ?? []).map(({ SpanContext }) => ({
        refType: 'FOLLOWS_FROM',
        traceID: SpanContext.TraceID,
        spanID: SpanContext.SpanID,
      })),
    ],
    startTime: started,
    duration: microseconds(stub.EndTime) - started,
    tags: [...tagsOf(stub.Attributes), ...kindTag(stub), ...errorTags(stub)],
    logs: (stub.Events ?? []).map(({ Name, Time, Attributes }) => ({
      timestamp: microseconds(Time),
      fields: [{ key: 'event', type: 'string', value: Name }, ...tagsOf(Attributes)],
    })),
  };
}

function kindTag({ SpanKind }: SpanStub): Tag[] {
  const kind = kinds[SpanKind];
  return kind ? [{ key: 'span.kind', type: 'string', value: kind }] : [];
}

function errorTags({ Status: { Code, Description } }: SpanStub): Tag[] {
  if (Code !== 1 && Code !== 'Error') return [];
  return [
    { key: 'error', type: 'bool', value: true },
    ...(Description === '' ? [] : [{ key: 'otel.status_description', type: 'string', value: Description }]),
  ];
}

const tagsOf = (attributes: readonly StubAttribute[] | null): Tag[] =>
  (attributes ?? []).map(({ Key, Value: { Type, Value } }) => {
    const type = types[Type] ?? 'string';
    const text = typeof Value === 'string' ? Value : JSON.stringify(Value);
    return { key: Key, type, value: type === 'string' ? text : Value };
  });

/** Since the epoch. `Date` drops what is finer than a millisecond. */
function microseconds(time: string): number {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  const seconds = Date.parse(time.replace(/\.\d+/, ''));
  return seconds * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
