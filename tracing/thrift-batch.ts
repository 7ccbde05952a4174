/**
 * Writes Jaeger's batches in any thrift protocol. jaeger-client gives spans as plain objects with eight-byte
 * buffers for 64-bit numbers; the field numbers are those of jaeger.thrift and agent.thrift.
 */
import thrift from 'thrift';
import { CompactWriter } from './compact-writer.js';

const { Thrift } = thrift;

/** A span as jaeger-client's reporter hands it to a sender. */
export interface ThriftSpan {
  readonly traceIdLow: Buffer;
  readonly traceIdHigh: Buffer;
  readonly spanId: Buffer;
  readonly parentSpanId: Buffer;
  readonly operationName: string;
  readonly references: readonly ThriftReference[];
  readonly flags: number;
  readonly startTime: Buffer;
  readonly duration: Buffer;
  readonly tags: readonly ThriftTag[];
  readonly logs: readonly { readonly timestamp: Buffer; readonly fields: readonly ThriftTag[] }[];
}
export interface ThriftReference {
  readonly refType: string | number;
  readonly traceIdLow: Buffer;
  readonly traceIdHigh: Buffer;
  readonly spanId: Buffer;
}
export interface ThriftTag {
  readonly key: string;
  readonly vType: string | number;
  readonly vStr: string;
  readonly vDouble: number;
  readonly vBool: boolean;
}
export interface ThriftProcess {
  readonly serviceName: string;
  readonly tags: readonly ThriftTag[];
}

/** What both writers have. */
type Protocol = Omit<CompactWriter, 'written'>;
export type Encoding = 'compact' | 'binary';

/** `emitBatch(Batch)`, as agents take it over UDP. */
export const encodeEmitBatch = (
  encoding: Encoding,
  process: ThriftProcess,
  spans: readonly ThriftSpan[],
): Buffer =>
  encode(encoding, (out) => {
    out.writeMessageBegin('emitBatch', Thrift.MessageType.ONEWAY, 0);
    struct(out, () => {
      field(out, Thrift.Type.STRUCT, 1, () => writeBatch(out, process, spans));
    });
    out.writeMessageEnd();
  });

/** A bare Batch, as collectors take it over HTTP. */
export const encodeBatch = (
  encoding: Encoding,
  process: ThriftProcess,
  spans: readonly ThriftSpan[],
): Buffer => encode(encoding, (out) => writeBatch(out, process, spans));

function encode(encoding: Encoding, write: (out: Protocol) => void): Buffer {
  if (encoding === 'compact') {
    const out = new CompactWriter();
    write(out);
    return out.written;
  }
  let bytes: Buffer = Buffer.alloc(0);
  const transport = new thrift.TBufferedTransport(undefined, (message?: Buffer) => {
    if (message) bytes = message;
  });
  const out = new thrift.TBinaryProtocol(transport);
  write(out);
  out.flush();
  return bytes;
}

function writeBatch(out: Protocol, process: ThriftProcess, spans: readonly ThriftSpan[]): void {
  struct(out, () => {
    field(out, Thrift.Type.STRUCT, 1, () =>
      struct(out, () => {
        text(out, 1, process.serviceName);
        list(out, 2, process.tags, writeTag);
      }),
    );
    list(out, 2, spans, writeSpan);
  });
}

function writeSpan(out: Protocol, span: ThriftSpan): void {
  struct(out, () => {
    long(out, 1, span.traceIdLow);
    long(out, 2, span.traceIdHigh);
    long(out, 3, span.spanId);
    long(out, 4, span.parentSpanId);
    text(out, 5, span.operationName);
    list(out, 6, span.references, writeReference);
    field(out, Thrift.Type.I32, 7, () => out.writeI32(span.flags));
    long(out, 8, span.startTime);
    long(out, 9, span.duration);
    list(out, 10, span.tags, writeTag);
    list(out, 11, span.logs, (_, log) =>
      struct(out, () => {
        long(out, 1, log.timestamp);
        list(out, 2, log.fields, writeTag);
      }),
    );
  });
}

function writeReference(out: Protocol, reference: ThriftReference): void {
  const followsFrom = reference.refType === 'FOLLOWS_FROM' || reference.refType === 1;
  struct(out, () => {
    field(out, Thrift.Type.I32, 1, () => out.writeI32(followsFrom ? 1 : 0));
    long(out, 2, reference.traceIdLow);
    long(out, 3, reference.traceIdHigh);
    long(out, 4, reference.spanId);
  });
}

const tagTypes = ['STRING', 'DOUBLE', 'BOOL'];

/** jaeger-client makes strings, doubles and booleans only. */
function writeTag(out: Protocol, tag: ThriftTag): void {
  const type = typeof tag.vType === 'number' ? tag.vType : tagTypes.indexOf(tag.vType);
  struct(out, () => {
    text(out, 1, tag.key);
    field(out, Thrift.Type.I32, 2, () => out.writeI32(Math.max(type, 0)));
    if (type === 1) field(out, Thrift.Type.DOUBLE, 4, () => out.writeDouble(tag.vDouble));
    else if (type === 2) field(out, Thrift.Type.BOOL, 5, () => out.writeBool(tag.vBool));
    else text(out, 3, tag.vStr);
  });
}

function struct(out: Protocol, fields: () => void): void {
  out.writeStructBegin('');
  fields();
  out.writeFieldStop();
  out.writeStructEnd();
}

function field(out: Protocol, type: number, id: number, value: () => void): void {
  out.writeFieldBegin('', type, id);
  value();
  out.writeFieldEnd();
}

const text = (out: Protocol, id: number, value: string): void =>
  field(out, Thrift.Type.STRING, id, () => out.writeString(value));

function long(out: Protocol, id: number, value: Buffer): void {
  const number = value.length === 8 ? new thrift.Int64(value) : new thrift.Int64(0);
  field(out, Thrift.Type.I64, id, () => out.writeI64(number));
}

function list<T>(
  out: Protocol,
  id: number,
  items: readonly T[],
  write: (out: Protocol, item: T) => void,
): void {
  field(out, Thrift.Type.LIST, id, () => {
    out.writeListBegin(Thrift.Type.STRUCT, items.length);
    for (const item of items) write(out, item);
    out.writeListEnd();
  });
}
