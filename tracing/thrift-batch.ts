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
type Protocol = Omit<CompactWriter, 'written' | 'begin'>;
const compact = new CompactWriter();

export type Encoding = 'compact' | 'binary';

/** `emitBatch(Batch)`, as agents take it over UDP. */
export const encodeEmitBatch = (
  encoding: Encoding,
  process: ThriftProcess,
  spans: readonly ThriftSpan[],
): Buffer =>
  encode(encoding, (out) => {
    out.writeMessageBegin('emitBatch', Thrift.MessageType.ONEWAY, 0);
    out.writeStructBegin('');
    out.writeFieldBegin('', Thrift.Type.STRUCT, 1);
    writeBatch(out, process, spans);
    endStruct(out);
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
    compact.begin();
    write(compact);
    return compact.written;
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

/** Called for each span of a daemon, some times a second: no closures, and no objects but what a field holds. */
function writeBatch(out: Protocol, process: ThriftProcess, spans: readonly ThriftSpan[]): void {
  out.writeStructBegin('');
  out.writeFieldBegin('', Thrift.Type.STRUCT, 1);
  out.writeStructBegin('');
  text(out, 1, process.serviceName);
  writeTags(out, 2, process.tags);
  endStruct(out);
  beginList(out, 2, spans.length);
  for (const span of spans) writeSpan(out, span);
  endStruct(out);
}

function writeSpan(out: Protocol, span: ThriftSpan): void {
  out.writeStructBegin('');
  long(out, 1, span.traceIdLow);
  long(out, 2, span.traceIdHigh);
  long(out, 3, span.spanId);
  long(out, 4, span.parentSpanId);
  text(out, 5, span.operationName);
  beginList(out, 6, span.references.length);
  for (const reference of span.references) writeReference(out, reference);
  int(out, 7, span.flags);
  long(out, 8, span.startTime);
  long(out, 9, span.duration);
  writeTags(out, 10, span.tags);
  beginList(out, 11, span.logs.length);
  for (const { timestamp, fields } of span.logs) {
    out.writeStructBegin('');
    long(out, 1, timestamp);
    writeTags(out, 2, fields);
    endStruct(out);
  }
  endStruct(out);
}

function writeReference(out: Protocol, reference: ThriftReference): void {
  const followsFrom = reference.refType === 'FOLLOWS_FROM' || reference.refType === 1;
  out.writeStructBegin('');
  int(out, 1, followsFrom ? 1 : 0);
  long(out, 2, reference.traceIdLow);
  long(out, 3, reference.traceIdHigh);
  long(out, 4, reference.spanId);
  endStruct(out);
}

function writeTags(out: Protocol, id: number, tags: readonly ThriftTag[]): void {
  beginList(out, id, tags.length);
  for (const tag of tags) writeTag(out, tag);
}

const tagTypes = ['STRING', 'DOUBLE', 'BOOL'];

/** jaeger-client makes strings, doubles and booleans only. */
function writeTag(out: Protocol, tag: ThriftTag): void {
  const type = typeof tag.vType === 'number' ? tag.vType : tagTypes.indexOf(tag.vType);
  out.writeStructBegin('');
  text(out, 1, tag.key);
  int(out, 2, Math.max(type, 0));
  if (type === 1) {
    out.writeFieldBegin('', Thrift.Type.DOUBLE, 4);
    out.writeDouble(tag.vDouble);
  } else if (type === 2) {
    out.writeFieldBegin('', Thrift.Type.BOOL, 5);
    out.writeBool(tag.vBool);
  } else text(out, 3, tag.vStr);
  endStruct(out);
}

// Neither protocol writes anything where a field, a list or a struct's name ends: those calls are left out.

function endStruct(out: Protocol): void {
  out.writeFieldStop();
  out.writeStructEnd();
}

function beginList(out: Protocol, id: number, size: number): void {
  out.writeFieldBegin('', Thrift.Type.LIST, id);
  out.writeListBegin(Thrift.Type.STRUCT, size);
}

function text(out: Protocol, id: number, value: string): void {
  out.writeFieldBegin('', Thrift.Type.STRING, id);
  out.writeString(value);
}

function int(out: Protocol, id: number, value: number): void {
  out.writeFieldBegin('', Thrift.Type.I32, id);
  out.writeI32(value);
}

const zero = Buffer.alloc(8);

/** jaeger-client's empty parent has no bytes. */
function long(out: Protocol, id: number, buffer: Buffer): void {
  out.writeFieldBegin('', Thrift.Type.I64, id);
  out.writeI64({ buffer: buffer.length === 8 ? buffer : zero });
}
