/** jaeger-client's spans as OpenTelemetry's collectors take them. */
import { otlp } from '../proto/index.js';
import type { ThriftProcess, ThriftSpan, ThriftTag } from './thrift-batch.js';

const kinds: Readonly<Record<string, number>> = { internal: 1, server: 2, client: 3 };
const FAILED = 2;
/** What the message has fields of its own for. */
const told = new Set(['span.kind', 'error', 'otel.status_description']);

export function otlpRequest(process: ThriftProcess, spans: readonly ThriftSpan[]): Buffer {
  const service = { key: 'service.name', value: { stringValue: process.serviceName } };
  const attributes = [service, ...process.tags.map(attribute)];
  const scopeSpans = [{ scope: { name: 'buildkit-ts' }, spans: spans.map(message) }];
  const request = { resourceSpans: [{ resource: { attributes }, scopeSpans }] };
  return Buffer.from(otlp.ExportTraceServiceRequest.encode(request).finish());
}

function message(span: ThriftSpan) {
  const tag = (key: string): ThriftTag | undefined => span.tags.find((each) => each.key === key);
  const startTimeUnixNano = nanoseconds(span.startTime);
  return {
    traceId: Buffer.concat([wide(span.traceIdHigh), span.traceIdLow]),
    spanId: span.spanId,
    ...(isZero(span.parentSpanId) ? {} : { parentSpanId: span.parentSpanId }),
    name: span.operationName,
    kind: kinds[tag('span.kind')?.vStr ?? 'internal'] ?? 1,
    startTimeUnixNano,
    endTimeUnixNano: startTimeUnixNano + nanoseconds(span.duration),
    attributes: span.tags.filter(({ key }) => !told.has(key)).map(attribute),
    events: span.logs.map(({ timestamp, fields }) => ({
      timeUnixNano: nanoseconds(timestamp),
      name: fields.find(({ key }) => key === 'event')?.vStr ?? 'log',
      attributes: fields.filter(({ key }) => key !== 'event').map(attribute),
    })),
    links: span.references
      .filter(({ refType }) => refType === 'FOLLOWS_FROM' || refType === 1)
      .map(({ traceIdHigh, traceIdLow, spanId }) => ({
        traceId: Buffer.concat([wide(traceIdHigh), traceIdLow]),
        spanId,
      })),
    ...(tag('error')
      ? { status: { code: FAILED, message: tag('otel.status_description')?.vStr ?? '' } }
      : {}),
  };
}

/** Ids of 64 bits have an empty upper half. */
const wide = (half: Buffer): Buffer => (half.length === 8 ? half : Buffer.alloc(8));
const isZero = (id: Buffer): boolean => id.every((byte) => byte === 0);
/** Of eight bytes of microseconds. */
const nanoseconds = (bytes: Buffer): number => Number(bytes.readBigInt64BE()) * 1000;

function attribute({ key, vType, vStr, vDouble, vBool }: ThriftTag) {
  if (vType === 'BOOL' || vType === 2) return { key, value: { boolValue: vBool } };
  if (vType === 'DOUBLE' || vType === 1) {
    return { key, value: Number.isSafeInteger(vDouble) ? { intValue: vDouble } : { doubleValue: vDouble } };
  }
  return { key, value: { stringValue: vStr } };
}
