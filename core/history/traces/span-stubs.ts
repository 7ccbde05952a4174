/**
 * The trace of a build as a blob: one JSON document a span, in the form in which OpenTelemetry's Go library writes its
 * span stubs. It is what BuildKit keeps and its clients read; times have nine digits.
 */
import type { FinishedSpan, SpanContext, TagValue } from '../../contracts/index.js';

export const TRACE_BLOB = 'application/vnd.buildkit.otlp.json.v0';

/** Go: trace.SpanKind. */
const kinds = { internal: 1, server: 2, client: 3 } as const;

export function* spanStubs(spans: readonly FinishedSpan[]): Iterable<Uint8Array> {
  const children = new Map<string, number>();
  for (const { parentSpanId } of spans) {
    if (parentSpanId) children.set(parentSpanId, (children.get(parentSpanId) ?? 0) + 1);
  }
  for (const span of spans) {
    const stub = stubOf(span, children.get(span.context.spanId) ?? 0);
    yield Buffer.from(`${JSON.stringify(stub, undefined, 2)}\n`);
  }
}

function stubOf(span: FinishedSpan, childCount: number): object {
  const scope = { Name: span.scope ?? 'buildkit-ts', Version: '', SchemaURL: '', Attributes: {} };
  const parent = { traceId: span.context.traceId, spanId: span.parentSpanId ?? NO_SPAN, sampled: true };
  return {
    Name: span.name,
    SpanContext: contextOf(span.context),
    Parent: contextOf(span.parentSpanId ? parent : nowhere),
    SpanKind: kinds[span.kind],
    StartTime: time(span.startedAt),
    EndTime: time(span.endedAt),
    Attributes: attributesOf(span.tags),
    Events: [...span.logs.map(({ at, fields }) => eventOf(at, fields)), ...failure(span)],
    Links: span.links.map((link) => ({
      SpanContext: contextOf(link),
      Attributes: [],
      DroppedAttributeCount: 0,
    })),
    Status: { Code: span.error === undefined ? 0 : 1, Description: span.error ?? '' },
    DroppedAttributes: 0,
    DroppedEvents: 0,
    DroppedLinks: 0,
    ChildSpanCount: childCount,
    Resource: attributesOf({ 'service.name': span.service }),
    InstrumentationScope: scope,
    InstrumentationLibrary: scope,
  };
}

const NO_SPAN = '0'.repeat(16);
const nowhere: SpanContext = { traceId: '0'.repeat(32), spanId: NO_SPAN, sampled: false };

const contextOf = ({ traceId, spanId, sampled }: SpanContext): object => ({
  TraceID: traceId,
  SpanID: spanId,
  TraceFlags: sampled ? '01' : '00',
  TraceState: '',
  Remote: false,
});

const failure = ({ error, endedAt }: FinishedSpan): object[] =>
  error === undefined ? [] : [eventOf(endedAt, { event: 'exception', 'exception.message': error })];

function eventOf(at: number, { event = 'log', ...fields }: Readonly<Record<string, TagValue>>): object {
  return {
    Name: String(event),
    Attributes: attributesOf(fields),
    DroppedAttributeCount: 0,
    Time: time(at),
  };
}

const attributesOf = (tags: Readonly<Record<string, TagValue>>): object[] =>
  Object.entries(tags).map(([key, value]) => ({ Key: key, Value: { Type: typeOf(value), Value: value } }));

function typeOf(value: TagValue): string {
  if (typeof value === 'string') return 'STRING';
  if (typeof value === 'boolean') return 'BOOL';
  return Number.isSafeInteger(value) ? 'INT64' : 'FLOAT64';
}

/** RFC 3339 to the microsecond: a double holds no more. */
function time(ms: number): string {
  const whole = Math.floor(ms);
  const micros = Math.min(999, Math.floor((ms - whole) * 1000));
  return `${new Date(whole).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}000Z`;
}
