/** Spans of clients in Jaeger's form. */
import type { FinishedSpan, SpanContext, TagValue } from '../core/contracts/index.js';
import type { ThriftReference, ThriftSpan, ThriftTag } from './thrift-batch.js';

export function thriftSpan(span: FinishedSpan): ThriftSpan {
  const { context, parentSpanId, kind, error, startedAt, endedAt } = span;
  const tags = tagsOf(span.tags);
  if (kind !== 'internal') tags.push(tagOf('span.kind', kind));
  if (error !== undefined) tags.push(tagOf('error', true), tagOf('otel.status_description', error));
  const { traceIdHigh, traceIdLow } = traceOf(context);
  return {
    traceIdHigh,
    traceIdLow,
    spanId: hex(context.spanId),
    parentSpanId: parentSpanId === undefined ? none : hex(parentSpanId),
    operationName: span.name,
    references: span.links.map(
      (link): ThriftReference => ({ refType: 'FOLLOWS_FROM', ...traceOf(link), spanId: hex(link.spanId) }),
    ),
    flags: 1,
    startTime: microseconds(startedAt),
    duration: microseconds(endedAt - startedAt),
    tags,
    logs: span.logs.map(({ at, fields }) => ({ timestamp: microseconds(at), fields: tagsOf(fields) })),
  };
}

const none = Buffer.alloc(8);
const hex = (id: string): Buffer => Buffer.from(id, 'hex');

const traceOf = ({ traceId }: SpanContext): { traceIdHigh: Buffer; traceIdLow: Buffer } => ({
  traceIdHigh: hex(traceId.slice(0, 16)),
  traceIdLow: hex(traceId.slice(16)),
});

/** Two halves: big integers would be slow. A microsecond of today fits into what a number holds exactly. */
function microseconds(ms: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  const all = Math.round(ms * 1000);
  bytes.writeInt32BE(Math.floor(all / 2 ** 32), 0);
  bytes.writeUInt32BE(all >>> 0, 4);
  return bytes;
}

const tagsOf = (tags: Readonly<Record<string, TagValue>>): ThriftTag[] =>
  Object.keys(tags).map((key) => tagOf(key, tags[key]!));

const tagOf = (key: string, value: TagValue): ThriftTag => ({
  key,
  vType: typeof value === 'string' ? 'STRING' : typeof value === 'number' ? 'DOUBLE' : 'BOOL',
  vStr: typeof value === 'string' ? value : '',
  vDouble: typeof value === 'number' ? value : 0,
  vBool: value === true,
});
