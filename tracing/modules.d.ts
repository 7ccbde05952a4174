/** What is used of two packages that bring no (or no sufficient) typings. */
declare module 'thrift' {
  export class Int64 {
    constructor(value: Buffer | number);
    readonly buffer: Buffer;
  }
  export interface TProtocol {
    writeMessageBegin(name: string, type: number, sequence: number): void;
    writeMessageEnd(): void;
    writeStructBegin(name: string): void;
    writeStructEnd(): void;
    writeFieldBegin(name: string, type: number, id: number): void;
    writeFieldEnd(): void;
    writeFieldStop(): void;
    writeListBegin(type: number, size: number): void;
    writeListEnd(): void;
    writeBool(value: boolean): void;
    writeI32(value: number): void;
    writeI64(value: Int64): void;
    writeDouble(value: number): void;
    writeString(value: string): void;
    flush(): void;
    readMessageBegin(): { fname: string; mtype: number; rseqid: number };
    readMessageEnd(): void;
    readStructBegin(): void;
    readStructEnd(): void;
    readFieldBegin(): { ftype: number; fid: number };
    readFieldEnd(): void;
    readListBegin(): { etype: number; size: number };
    readListEnd(): void;
    readBool(): boolean;
    readI32(): number;
    readI64(): Int64;
    readDouble(): number;
    readString(): string;
    skip(type: number): void;
  }
  export class TBufferedTransport {
    constructor(buffer: Buffer | undefined, onFlush?: (message?: Buffer) => void);
    static receiver(onMessage: (transport: TBufferedTransport) => void): (data: Buffer) => void;
  }
  export const TCompactProtocol: new (transport: TBufferedTransport) => TProtocol;
  export const TBinaryProtocol: new (transport: TBufferedTransport) => TProtocol;
  export const Thrift: {
    readonly Type: Readonly<
      Record<'STOP' | 'BOOL' | 'DOUBLE' | 'I32' | 'I64' | 'STRING' | 'STRUCT' | 'LIST', number>
    >;
    readonly MessageType: Readonly<Record<'CALL' | 'REPLY' | 'EXCEPTION' | 'ONEWAY', number>>;
  };
}

declare module 'jaeger-client' {
  import type * as opentracing from 'opentracing';

  export class SpanContext extends opentracing.SpanContext {
    static fromString(text: string): SpanContext;
    toString(): string;
  }
  export interface Logger {
    info(message: string): void;
    error(message: string): void;
  }
  export class RemoteReporter {
    constructor(sender: object, options: { bufferFlushInterval?: number; logger?: Logger });
    readonly _intervalHandle: NodeJS.Timeout;
  }
  export class ConstSampler {
    constructor(decision: boolean);
  }
  export class Tracer extends opentracing.Tracer {
    constructor(
      serviceName: string,
      reporter: RemoteReporter,
      sampler: ConstSampler,
      options: { traceId128bit?: boolean; logger?: Logger; tags?: Readonly<Record<string, unknown>> },
    );
    close(done: () => void): void;
  }
}
