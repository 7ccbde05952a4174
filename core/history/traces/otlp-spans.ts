/** Spans that clients send in OpenTelemetry's form. What has no readable ids is left out. */
import type { otlp } from '../../../proto/index.js';
import type { FinishedSpan, SpanContext, TagValue } from '../../contracts/index.js';

export const finishedSpans = (request: otlp.ExportTraceServiceRequest): FinishedSpan[] =>
  request.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(tagsOf(resource?.attributes ?? [])['service.name'] ?? 'unknown');
    return scopeSpans.flatMap(({ scope, spans }) =>
      spans.flatMap((span) => finished(span, service, scope?.name ?? '')),
    );
  });

const kinds: Readonly<Record<number, FinishedSpan['kind']>> = { 2: 'server', 3: 'client' };
/** Status code of a span that failed. */
const ERROR = 2;

function finished(span: otlp.Span, service: string, scope: string): FinishedSpan[] {
  const context = contextOf(span.traceId, span.spanId);
  if (!context) return [];
  return [
    {
      service,
      ...(scope === '' ? {} : { scope }),
      name: span.name,
      context,
      parentSpanId: contextOf(span.traceId, span.parentSpanId)?.spanId,
      kind: kinds[span.kind] ?? 'internal',
      startedAt: span.startTimeUnixNano / 1e6,
      endedAt: span.endTimeUnixNano / 1e6,
      tags: tagsOf(span.attributes),
      logs: span.events.map(({ timeUnixNano, name, attributes }) => ({
        at: timeUnixNano / 1e6,
        fields: { event: name, ...tagsOf(attributes) },
      })),
      links: span.links.flatMap(({ traceId, spanId }) => contextOf(traceId, spanId) ?? []),
      ...(span.status?.code === ERROR ? { error: span.status.message || 'failed' } : {}),
    },
  ];
}

function contextOf(traceId: Uint8Array, spanId: Uint8Array): SpanContext | undefined {
  if (traceId.length !== 16 || spanId.length !== 8 || spanId.every((byte) => byte === 0)) return undefined;
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return { traceId: hex(traceId), spanId: hex(spanId), sampled: true };
}

function tagsOf(attributes: readonly otlp.KeyValue[]): Record<string, TagValue> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value ? tagValue(value) : '']));
}

function tagValue(value: otlp.AnyValue): TagValue {
  switch (value.value) {
    case 'stringValue':
      return value.stringValue ?? '';
    case 'boolValue':
      return value.boolValue ?? false;
    case 'intValue':
      return value.intValue ?? 0;
    case 'doubleValue':
      return value.doubleValue ?? 0;
    case 'bytesValue':
      return Buffer.from(value.bytesValue ?? []).toString('hex');
    case 'arrayValue':
      return (value.arrayValue?.values ?? []).map(tagValue).join(', ');
    default:
      return '';
  }
}
