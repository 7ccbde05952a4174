/** Packets gathered as gRPC frames, to leave the thread in large pieces. */
import { ByteWriter } from '../../proto/byte-writer.js';
import { type Packet, writePacket } from '../../proto/fsutil.js';

/** Bytes of a batch; larger batches save messages between threads, smaller ones get the other side going. */
export const BATCH = 512 << 10;

export class PacketBatch {
  readonly #writer: ByteWriter;

  /** `capacity` bytes are usually enough. */
  constructor(capacity: number) {
    this.#writer = new ByteWriter(capacity);
  }

  get size(): number {
    return this.#writer.length;
  }

  add(packet: Packet): void {
    const writer = this.#writer;
    const start = writer.length;
    writer.byte(0);
    writer.uint32be(0);
    writePacket(writer, packet);
    writer.patchUint32be(start + 1, writer.length - start - 5);
  }

  take(): Buffer {
    return this.#writer.length === 0 ? Buffer.alloc(0) : this.#writer.take();
  }
}
