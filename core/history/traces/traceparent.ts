/** The W3C header of a span's context, for tracing without a tracer that knows more. */
import type { SpanContext } from '../../contracts/index.js';

export const traceparentOf = ({ traceId, spanId, sampled }: SpanContext): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;

/** What is unreadable counts as absent, as the specification asks. */
export function extractTraceparent(value: string | undefined): SpanContext | undefined {
  const match = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/.exec(value ?? '');
  if (!match || /^0+$/.test(match[1]!) || /^0+$/.test(match[2]!)) return undefined;
  const sampled = (Number.parseInt(match[3]!, 16) & 1) === 1;
  return { traceId: match[1]!, spanId: match[2]!, sampled };
}
