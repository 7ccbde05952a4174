/** Reads protobuf's wire format; every read past the end is a RangeError. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly end: number;
  pos: number;
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = start;
    this.end = end;
  }

  get done(): boolean {
    return this.pos >= this.end;
  }

  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.pos >= this.end) throw new RangeError('message ends inside a number');
      const byte = this.#bytes[this.pos++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new RangeError('a number is longer than ten bytes');
  }

  /** An unsigned number; what lies beyond 2^53 loses precision. */
  varint(): number {
    this.#varint();
    return this.#high * 0x1_0000_0000 + this.#low;
  }

  /** The low 32 bits, as protobuf reads uint32 and enums. */
  uint32(): number {
    this.#varint();
    return this.#low;
  }

  /** A signed number; what lies beyond 2^53 loses precision. */
  int64(): number {
    this.#varint();
    return (this.#high | 0) * 0x1_0000_0000 + this.#low;
  }

  bigint64(): bigint {
    this.#varint();
    return (BigInt(this.#high | 0) << 32n) | BigInt(this.#low);
  }

  /** End position of the length-delimited field that starts here. */
  limit(): number {
    const size = this.varint();
    if (size > this.end - this.pos) throw new RangeError('a field is longer than its message');
    return this.pos + size;
  }

  /** A view of the field's bytes, not a copy. */
  bytes(): Buffer {
    const end = this.limit();
    const view = this.#bytes.subarray(this.pos, end);
    this.pos = end;
    return view;
  }

  text(): string {
    const end = this.limit();
    const value = this.#bytes.toString('utf8', this.pos, end);
    this.pos = end;
    return value;
  }

  /** A reader of the nested message that starts here. */
  message(): ByteReader {
    const end = this.limit();
    const nested = new ByteReader(this.#bytes, this.pos, end);
    this.pos = end;
    return nested;
  }

  /** Skips a field whose tag was just read. */
  skip(tag: number): void {
    const wire = tag & 7;
    if (wire === 0) this.#varint();
    else if (wire === 2) this.pos = this.limit();
    else if (wire === 1) this.pos += 8;
    else if (wire === 5) this.pos += 4;
    else throw new RangeError(`unknown wire type ${wire}`);
    if (this.pos > this.end) throw new RangeError('a field is longer than its message');
  }
}
