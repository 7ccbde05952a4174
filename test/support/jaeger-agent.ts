/** A Jaeger agent for tests: listens on loopback UDP and decodes what it gets with the thrift library. */
import { createSocket, type Socket } from 'node:dgram';
import thrift, { type TProtocol } from 'thrift';

export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** Microseconds. */
  readonly startTime: bigint;
  readonly duration: bigint;
  readonly tags: Readonly<Record<string, unknown>>;
  readonly references: readonly { readonly kind: 'child-of' | 'follows-from'; readonly spanId: string }[];
}

const { Thrift } = thrift;
const hex = (value: unknown): string => (value as { buffer: Buffer }).buffer.toString('hex');
const number = (value: unknown): bigint => (value as { buffer: Buffer }).buffer.readBigInt64BE();

/** Any thrift value: structs become objects by field id. */
function readValue(input: TProtocol, type: number): unknown {
  const { Type } = Thrift;
  if (type === Type.BOOL) return input.readBool();
  if (type === Type.DOUBLE) return input.readDouble();
  if (type === Type.I32) return input.readI32();
  if (type === Type.I64) return input.readI64();
  if (type === Type.STRING) return input.readString();
  if (type === Type.LIST) return readList(input);
  if (type === Type.STRUCT) return readStruct(input);
  throw new Error(`unexpected thrift type ${type}`);
}

function readList(input: TProtocol): unknown[] {
  const { etype, size } = input.readListBegin();
  const items = Array.from({ length: size }, () => readValue(input, etype));
  input.readListEnd();
  return items;
}

type Fields = Record<number, unknown>;

function readStruct(input: TProtocol): Fields {
  const fields: Fields = {};
  input.readStructBegin();
  for (;;) {
    const { ftype, fid } = input.readFieldBegin();
    if (ftype === Thrift.Type.STOP) break;
    fields[fid] = readValue(input, ftype);
    input.readFieldEnd();
  }
  input.readStructEnd();
  return fields;
}

const tagValue = (tag: Fields): unknown => (tag[2] === 1 ? tag[4] : tag[2] === 2 ? tag[5] : tag[3]);

function spansOf(batch: Fields): ReceivedSpan[] {
  const service = (batch[1] as Fields)[1] as string;
  return (batch[2] as Fields[]).map((span) => ({
    service,
    traceId: hex(span[2]) + hex(span[1]),
    spanId: hex(span[3]),
    parentSpanId: hex(span[4]),
    name: span[5] as string,
    startTime: number(span[8]),
    duration: number(span[9]),
    tags: Object.fromEntries((span[10] as Fields[]).map((tag) => [tag[1], tagValue(tag)])),
    references: (span[6] as Fields[]).map((reference) => ({
      kind: reference[1] === 1 ? 'follows-from' : 'child-of',
      spanId: hex(reference[4]),
    })),
  }));
}

export function decodeEmitBatch(packet: Buffer, encoding: 'compact' | 'binary'): ReceivedSpan[] {
  let spans: ReceivedSpan[] = [];
  thrift.TBufferedTransport.receiver((transport) => {
    const input = new (encoding === 'compact' ? thrift.TCompactProtocol : thrift.TBinaryProtocol)(transport);
    const { fname } = input.readMessageBegin();
    if (fname !== 'emitBatch') throw new Error(`unexpected call ${fname}`);
    spans = spansOf(readStruct(input)[1] as Fields);
    input.readMessageEnd();
  })(packet);
  return spans;
}

export class JaegerAgent implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  readonly #socket: Socket;
  #arrived: () => void = () => {};

  private constructor(socket: Socket, encoding: 'compact' | 'binary') {
    this.#socket = socket;
    socket.on('message', (packet) => {
      this.spans.push(...decodeEmitBatch(packet, encoding));
      this.#arrived();
    });
  }

  static async listen(encoding: 'compact' | 'binary' = 'compact', port = 0): Promise<JaegerAgent> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 8 << 20 });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, '127.0.0.1', resolve);
    });
    return new JaegerAgent(socket, encoding);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Resolves once `enough` holds for what has arrived. */
  async until(enough: (spans: readonly ReceivedSpan[]) => boolean): Promise<readonly ReceivedSpan[]> {
    while (!enough(this.spans)) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.spans;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}
