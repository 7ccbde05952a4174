/**
 * Writes thrift's compact protocol into one buffer: the library makes a buffer of each byte, which takes ten times as long.
 * It is checked against the library's reader. Field and element types: thrift/doc/specs/thrift-compact-protocol.md.
 */
import thrift from 'thrift';

const { Type } = thrift.Thrift;

const codes: Readonly<Record<number, number>> = {
  [Type.I32]: 5,
  [Type.I64]: 6,
  [Type.DOUBLE]: 7,
  [Type.STRING]: 8,
  [Type.LIST]: 9,
  [Type.STRUCT]: 12,
};
const TRUE = 1;
const FALSE = 2;
const PROTOCOL = 0x82;
const VERSION = 1;

export class CompactWriter {
  #bytes = Buffer.allocUnsafe(1 << 16);
  #at = 0;
  /** Of the last field in each struct that is open: ids are written as differences. */
  readonly #ids: number[] = [];
  #id = 0;
  /** Id of the boolean that comes next. */
  #boolean = 0;

  /** Begins a message in the place of the last one. */
  begin(): void {
    this.#at = 0;
    this.#id = 0;
    this.#ids.length = 0;
  }

  /** The caller's own: a socket may still read it when the next message is written. */
  get written(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  writeMessageBegin(name: string, type: number, sequence: number): void {
    this.#byte(PROTOCOL);
    this.#byte((type << 5) | VERSION);
    this.#varint(sequence);
    this.writeString(name);
  }

  writeMessageEnd(): void {}

  writeStructBegin(_name: string): void {
    this.#ids.push(this.#id);
    this.#id = 0;
  }

  writeStructEnd(): void {
    this.#id = this.#ids.pop() ?? 0;
  }

  /** A boolean is its own field header, which `writeBool` writes. */
  writeFieldBegin(_name: string, type: number, id: number): void {
    if (type === Type.BOOL) this.#boolean = id;
    else this.#field(codes[type]!, id);
  }

  writeFieldEnd(): void {}

  writeFieldStop(): void {
    this.#byte(0);
  }

  writeListBegin(type: number, size: number): void {
    const code = codes[type]!;
    if (size < 15) this.#byte((size << 4) | code);
    else {
      this.#byte(0xf0 | code);
      this.#varint(size);
    }
  }

  writeListEnd(): void {}

  writeBool(value: boolean): void {
    this.#field(value ? TRUE : FALSE, this.#boolean);
  }

  writeI32(value: number): void {
    this.#varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** Zigzag over two halves: big integers would be slow. */
  writeI64({ buffer }: { readonly buffer: Buffer }): void {
    const high = buffer.readInt32BE(0);
    const low = buffer.readInt32BE(4);
    const sign = high >> 31;
    let upper = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
    let lower = ((low << 1) ^ sign) >>> 0;
    while (upper !== 0) {
      this.#byte((lower & 0x7f) | 0x80);
      lower = ((lower >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    this.#varint(lower);
  }

  writeDouble(value: number): void {
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  writeString(value: string): void {
    const length = Buffer.byteLength(value);
    this.#varint(length);
    this.#room(length);
    this.#at += this.#bytes.write(value, this.#at);
  }

  #field(code: number, id: number): void {
    const step = id - this.#id;
    if (step > 0 && step <= 15) this.#byte((step << 4) | code);
    else {
      this.#byte(code);
      this.writeI32(id);
    }
    this.#id = id;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.#byte(rest);
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
