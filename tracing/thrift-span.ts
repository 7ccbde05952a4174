/** Spans of clients in Jaeger's form. */
import type { FinishedSpan, SpanContext, TagValue } from '../core/contracts/index.js';
import type { ThriftReference, ThriftSpan, ThriftTag } from './thrift-batch.js';

export function thriftSpan(span: FinishedSpan): ThriftSpan {
  const { context, parentSpanId, kind, error, startedAt, endedAt } = span;
  const tags = {
    ...span.tags,
    ...(kind === 'internal' ? {} : { 'span.kind': kind }),
    ...(error === undefined ? {} : { error: true, 'otel.status_description': error }),
  };
  return {
    ...traceOf(context),
    spanId: hex(context.spanId),
    parentSpanId: hex(parentSpanId ?? '0'.repeat(16)),
    operationName: span.name,
    references: span.links.map(
      (link): ThriftReference => ({ refType: 'FOLLOWS_FROM', ...traceOf(link), spanId: hex(link.spanId) }),
    ),
    flags: 1,
    startTime: microseconds(startedAt),
    duration: microseconds(endedAt - startedAt),
    tags: tagsOf(tags),
    logs: span.logs.map(({ at, fields }) => ({ timestamp: microseconds(at), fields: tagsOf(fields) })),
  };
}

const hex = (id: string): Buffer => Buffer.from(id, 'hex');

const traceOf = ({ traceId }: SpanContext): { traceIdHigh: Buffer; traceIdLow: Buffer } => ({
  traceIdHigh: hex(traceId.slice(0, 16)),
  traceIdLow: hex(traceId.slice(16)),
});

function microseconds(ms: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(Math.round(ms * 1000)));
  return bytes;
}

const tagsOf = (tags: Readonly<Record<string, TagValue>>): ThriftTag[] =>
  Object.entries(tags).map(([key, value]) => ({
    key,
    vType: typeof value === 'string' ? 'STRING' : typeof value === 'number' ? 'DOUBLE' : 'BOOL',
    vStr: typeof value === 'string' ? value : '',
    vDouble: typeof value === 'number' ? value : 0,
    vBool: value === true,
  }));
