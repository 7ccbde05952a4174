/**
 * Span contexts in headers: W3C `traceparent` (what BuildKit's peers send) and Jaeger's `uber-trace-id`. Reading
 * prefers the former; an unreadable header counts as absent, as both specifications ask.
 */
import type { SpanContext } from '../core/contracts/index.js';

const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const uber = /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:([0-9a-f]{1,2})$/i;

export function inject(context: SpanContext): Record<string, string> {
  return {
    traceparent: `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`,
    'uber-trace-id': `${context.traceId}:${context.spanId}:0:${context.sampled ? 1 : 0}`,
  };
}

export function extract(header: (name: string) => string | undefined): SpanContext | undefined {
  return fromTraceparent(header('traceparent')) ?? fromUber(header('uber-trace-id'));
}

function fromTraceparent(value: string | undefined): SpanContext | undefined {
  const match =
    value === undefined || value.startsWith('ff') ? undefined : (traceparent.exec(value) ?? undefined);
  return match && contextOf(match[1]!, match[2]!, Number.parseInt(match[3]!, 16));
}

function fromUber(value: string | undefined): SpanContext | undefined {
  const match = value === undefined ? undefined : (uber.exec(decodeURIComponent(value)) ?? undefined);
  return (
    match &&
    contextOf(match[1]!.padStart(32, '0'), match[2]!.padStart(16, '0'), Number.parseInt(match[3]!, 16))
  );
}

function contextOf(traceId: string, spanId: string, flags: number): SpanContext | undefined {
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId: traceId.toLowerCase(), spanId: spanId.toLowerCase(), sampled: (flags & 1) === 1 };
}
