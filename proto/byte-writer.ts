/** Grows as it is written; the hand-written codecs encode into it without intermediate buffers. */
export class ByteWriter {
  readonly #capacity: number;
  #buffer: Buffer;
  #length = 0;

  /** `capacity` is what one fill usually takes. */
  constructor(capacity = 256) {
    this.#capacity = capacity;
    this.#buffer = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Room for `size` more bytes; call before the raw writes below. */
  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** An unsigned number up to 2^53. */
  varint(value: number): void {
    this.#reserve(10);
    while (value > 0x7fffffff) {
      this.#buffer[this.#length++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    while (value > 0x7f) {
      this.#buffer[this.#length++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    this.#buffer[this.#length++] = value;
  }

  /** An int64: two's complement, so negative numbers take ten bytes. */
  int64(value: number | bigint): void {
    if (typeof value === 'bigint') this.#large(BigInt.asUintN(64, value));
    else if (value >= 0) this.varint(value);
    else this.#negative(value);
  }

  /** Seven bits at a time, with ones where the number has ended. */
  #negative(value: number): void {
    this.#reserve(10);
    let rest = value;
    for (let width = 1; width < 10; width++) {
      const next = Math.floor(rest / 128);
      this.#buffer[this.#length++] = (rest - next * 128) | 0x80;
      rest = next;
    }
    this.#buffer[this.#length++] = 1;
  }

  #large(rest: bigint): void {
    this.#reserve(10);
    for (; rest > 0x7fn; rest >>= 7n) this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#buffer[this.#length++] = Number(rest);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** Length and bytes of a string. */
  text(value: string): void {
    if (this.#asciiText(value)) return;
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.#reserve(size);
    this.#buffer.write(value, this.#length, size, 'utf8');
    this.#length += size;
  }

  /** Short text is written here: a call into the runtime costs more than its bytes. */
  #asciiText(value: string): boolean {
    const size = value.length;
    if (size > 48) return false;
    this.#reserve(size + 1);
    const buffer = this.#buffer;
    const start = this.#length + 1;
    for (let at = 0; at < size; at++) {
      const unit = value.charCodeAt(at);
      if (unit > 0x7f) return false;
      buffer[start + at] = unit;
    }
    buffer[start - 1] = size;
    this.#length = start + size;
    return true;
  }

  /** What `write` adds, with its length in front. */
  delimited(write: () => void): void {
    const start = this.open();
    write();
    this.close(start);
  }

  /**
   * Starts what has its length in front; {@link close} ends it. Most messages are short, so one byte is kept free for
   * the length.
   */
  open(): number {
    this.byte(0);
    return this.#length - 1;
  }

  close(start: number): void {
    const size = this.#length - start - 1;
    const width = varintWidth(size);
    if (width > 1) {
      this.#reserve(width - 1);
      this.#buffer.copyWithin(start + width, start + 1, this.#length);
    }
    this.#length = start;
    this.varint(size);
    this.#length += size;
  }

  uint32be(value: number): void {
    this.#reserve(4);
    this.#buffer.writeUInt32BE(value, this.#length);
    this.#length += 4;
  }

  /** Overwrites four bytes written earlier. */
  patchUint32be(at: number, value: number): void {
    this.#buffer.writeUInt32BE(value, at);
  }

  /**
   * Hands the bytes over and starts anew; the answer shares no memory with anything. Few bytes are copied: handing over
   * the whole buffer for each of them keeps the garbage collector busy.
   */
  take(): Buffer {
    const filled = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    if (filled.length * 2 > this.#capacity) {
      this.#buffer = Buffer.allocUnsafeSlow(this.#capacity);
      return filled;
    }
    const taken = Buffer.allocUnsafeSlow(filled.length);
    filled.copy(taken);
    return taken;
  }

  /** A copy of the bytes; the writer is empty afterwards and keeps its memory. */
  copy(): Buffer {
    const copied = Buffer.allocUnsafe(this.#length);
    this.#buffer.copy(copied, 0, 0, this.#length);
    this.#length = 0;
    return copied;
  }
}

function varintWidth(value: number): number {
  let width = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) width++;
  return width;
}
