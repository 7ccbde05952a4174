/**
 * The trace of a build as a blob: one JSON document a span, in the form in which OpenTelemetry's Go library writes its
 * span stubs. It is what BuildKit keeps and its clients read; times have nine digits.
 *
 * Most of a document is the same in each. Only what differs goes through `JSON.stringify`: every build writes a trace, and a
 * document made as a whole takes twice as long.
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
  const time = clock();
  for (const span of spans) {
    yield Buffer.from(`${stubOf(span, children.get(span.context.spanId) ?? 0, time)}\n`);
  }
}

type Time = (ms: number) => string;

function stubOf(span: FinishedSpan, childCount: number, time: Time): string {
  const { context, parentSpanId, error } = span;
  const scope = `{"Name":${quoted(span.scope ?? 'buildkit-ts')},"Version":"","SchemaURL":"","Attributes":{}}`;
  const parent = parentSpanId ? { ...context, spanId: parentSpanId, sampled: true } : nowhere;
  const events = span.logs.map(({ at, fields }) => eventOf(time(at), fields));
  if (error !== undefined) events.push(failure(time(span.endedAt), error));
  return (
    `{"Name":${quoted(span.name)},"SpanContext":${contextOf(context)},"Parent":${contextOf(parent)},` +
    `"SpanKind":${kinds[span.kind]},"StartTime":"${time(span.startedAt)}","EndTime":"${time(span.endedAt)}",` +
    `"Attributes":${attributesOf(span.tags)},"Events":[${events}],"Links":[${span.links.map(linkOf)}],` +
    `"Status":{"Code":${error === undefined ? 0 : 1},"Description":${quoted(error ?? '')}},` +
    `"DroppedAttributes":0,"DroppedEvents":0,"DroppedLinks":0,"ChildSpanCount":${childCount},` +
    `"Resource":${attributesOf({ 'service.name': span.service })},` +
    `"InstrumentationScope":${scope},"InstrumentationLibrary":${scope}}`
  );
}

const quoted = (text: string): string => JSON.stringify(text);

const nowhere: SpanContext = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), sampled: false };

/** Ids are hexadecimal. */
const contextOf = ({ traceId, spanId, sampled }: SpanContext): string =>
  `{"TraceID":"${traceId}","SpanID":"${spanId}","TraceFlags":"${sampled ? '01' : '00'}","TraceState":"","Remote":false}`;

const linkOf = (link: SpanContext): string =>
  `{"SpanContext":${contextOf(link)},"Attributes":[],"DroppedAttributeCount":0}`;

const failure = (at: string, error: string): string =>
  eventOf(at, { event: 'exception', 'exception.message': error });

const eventOf = (at: string, { event = 'log', ...fields }: Readonly<Record<string, TagValue>>): string =>
  `{"Name":${quoted(String(event))},"Attributes":${attributesOf(fields)},"DroppedAttributeCount":0,"Time":"${at}"}`;

function attributesOf(tags: Readonly<Record<string, TagValue>>): string {
  const all = Object.entries(tags).map(
    ([key, value]) =>
      `{"Key":${quoted(key)},"Value":{"Type":"${typeOf(value)}","Value":${JSON.stringify(value)}}}`,
  );
  return `[${all}]`;
}

function typeOf(value: TagValue): string {
  if (typeof value === 'string') return 'STRING';
  if (typeof value === 'boolean') return 'BOOL';
  return Number.isSafeInteger(value) ? 'INT64' : 'FLOAT64';
}

/** RFC 3339 to the microsecond: a double holds no more. Spans of a trace share most of their seconds. */
function clock(): Time {
  let second = Number.NaN;
  let text = '';
  return (ms) => {
    const whole = Math.floor(ms / 1000);
    if (whole !== second) {
      second = whole;
      text = new Date(whole * 1000).toISOString().slice(0, -4);
    }
    const micros = Math.min(999_999, Math.floor((ms - whole * 1000) * 1000));
    return `${text}${String(micros).padStart(6, '0')}000Z`;
  };
}
