/**
 * The codec of tree transfers, by hand: packets are many and DATA is large. Nothing is copied when decoding, and
 * modification times keep their nanoseconds. Wire facts E3.1–E3.3.
 */
import type { FileStat } from '../core/contracts/refs.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';

export type Packet =
  /** Without `stat`: the list is complete. */
  | { readonly type: 'stat'; readonly stat?: FileStat }
  | { readonly type: 'req'; readonly id: number }
  /** Empty data ends the file. */
  | { readonly type: 'data'; readonly id: number; readonly data: Uint8Array }
  | { readonly type: 'fin' }
  | { readonly type: 'err'; readonly message: string };

const packetTypes = ['stat', 'req', 'data', 'fin', 'err'] as const;
const noData = Buffer.alloc(0);
const noXattrs: FileStat['xattrs'] = Object.freeze({});

const LENGTH = 2;
const tag = (field: number, wire: number): number => (field << 3) | wire;

export function decodePacket(bytes: Uint8Array): Packet {
  const reader = new ByteReader(bytes);
  let type = 0;
  let id = 0;
  let stat: FileStat | undefined;
  let data: Uint8Array = noData;
  while (!reader.done) {
    const key = reader.uint32();
    if (key === tag(1, 0)) type = reader.uint32();
    else if (key === tag(2, LENGTH)) stat = readStat(reader.message());
    else if (key === tag(3, 0)) id = reader.uint32();
    else if (key === tag(4, LENGTH)) data = reader.bytes();
    else reader.skip(key);
  }
  switch (packetTypes[type]) {
    case 'stat':
      return stat ? { type: 'stat', stat } : { type: 'stat' };
    case 'req':
      return { type: 'req', id };
    case 'data':
      return { type: 'data', id, data };
    case 'fin':
      return { type: 'fin' };
    case 'err':
      return { type: 'err', message: Buffer.from(data).toString('utf8') };
    default:
      throw new RangeError(`unknown packet type ${type}`);
  }
}

export function writePacket(writer: ByteWriter, packet: Packet): void {
  const type = packetTypes.indexOf(packet.type);
  if (type !== 0) {
    writer.byte(tag(1, 0));
    writer.byte(type);
  }
  switch (packet.type) {
    case 'stat':
      if (packet.stat) writeNested(writer, 2, packet.stat);
      return;
    case 'req':
      writeNumber(writer, 3, packet.id);
      return;
    case 'data':
      writeNumber(writer, 3, packet.id);
      writeBytes(writer, 4, packet.data);
      return;
    case 'err':
      writeBytes(writer, 4, Buffer.from(packet.message));
      return;
    case 'fin':
      return;
    default:
      packet satisfies never;
  }
}

export function encodePacket(packet: Packet): Buffer {
  const writer = new ByteWriter();
  writePacket(writer, packet);
  return writer.take();
}

function writeNested(writer: ByteWriter, field: number, stat: FileStat): void {
  const body = encodeStat(stat);
  writer.byte(tag(field, LENGTH));
  writer.varint(body.length);
  writer.bytes(body);
}

/** One scratch writer per thread: encoding is synchronous, so nobody else can be in it. */
const scratch = new ByteWriter(1024);
export function encodeStat(stat: FileStat): Buffer {
  writeText(scratch, 1, stat.path);
  writeNumber(scratch, 2, stat.mode);
  writeNumber(scratch, 3, stat.uid);
  writeNumber(scratch, 4, stat.gid);
  writeNumber(scratch, 5, stat.size);
  writeNumber(scratch, 6, stat.modTime);
  writeText(scratch, 7, stat.linkname);
  writeNumber(scratch, 8, stat.devmajor);
  writeNumber(scratch, 9, stat.devminor);
  for (const name of Object.keys(stat.xattrs).sort()) writeXattr(scratch, name, stat.xattrs[name]!);
  return scratch.copy();
}

function writeXattr(writer: ByteWriter, name: string, value: Uint8Array): void {
  const entry = new ByteWriter(name.length + value.length + 16);
  entry.byte(tag(1, LENGTH));
  entry.text(name);
  entry.byte(tag(2, LENGTH));
  entry.varint(value.length);
  entry.bytes(value);
  const body = entry.take();
  writer.byte(tag(10, LENGTH));
  writer.varint(body.length);
  writer.bytes(body);
}

function writeNumber(writer: ByteWriter, field: number, value: number | bigint): void {
  if (Number(value) === 0) return;
  writer.byte(tag(field, 0));
  writer.int64(value);
}

function writeText(writer: ByteWriter, field: number, value: string): void {
  if (value === '') return;
  writer.byte(tag(field, LENGTH));
  writer.text(value);
}

function writeBytes(writer: ByteWriter, field: number, value: Uint8Array): void {
  if (value.length === 0) return;
  writer.byte(tag(field, LENGTH));
  writer.varint(value.length);
  writer.bytes(value);
}

export const decodeStat = (bytes: Uint8Array): FileStat => readStat(new ByteReader(bytes));

function readStat(reader: ByteReader): FileStat {
  let path = '';
  let mode = 0;
  let uid = 0;
  let gid = 0;
  let size = 0;
  let modTime = 0n;
  let linkname = '';
  let devmajor = 0;
  let devminor = 0;
  let xattrs: Record<string, Uint8Array> | undefined;
  while (!reader.done) {
    const key = reader.uint32();
    if (key === tag(1, LENGTH)) path = reader.text();
    else if (key === tag(2, 0)) mode = reader.uint32();
    else if (key === tag(3, 0)) uid = reader.uint32();
    else if (key === tag(4, 0)) gid = reader.uint32();
    else if (key === tag(5, 0)) size = reader.int64();
    else if (key === tag(6, 0)) modTime = reader.bigint64();
    else if (key === tag(7, LENGTH)) linkname = reader.text();
    else if (key === tag(8, 0)) devmajor = reader.int64();
    else if (key === tag(9, 0)) devminor = reader.int64();
    else if (key === tag(10, LENGTH)) {
      const [name, value] = readXattr(reader.message());
      xattrs ??= {};
      // A name such as __proto__ must become a property, not a prototype.
      Object.defineProperty(xattrs, name, { value, enumerable: true, configurable: true, writable: true });
    } else reader.skip(key);
  }
  return {
    path,
    mode,
    uid,
    gid,
    size,
    modTime,
    linkname,
    devmajor,
    devminor,
    xattrs: xattrs ?? noXattrs,
  };
}

function readXattr(reader: ByteReader): [name: string, value: Uint8Array] {
  let name = '';
  let value: Uint8Array = noData;
  while (!reader.done) {
    const key = reader.uint32();
    if (key === tag(1, LENGTH)) name = reader.text();
    // Kept for long, unlike file data: copied, so that it does not pin the buffer it came in.
    else if (key === tag(2, LENGTH)) value = Uint8Array.from(reader.bytes());
    else reader.skip(key);
  }
  return [name, value];
}

/** `BytesMessage{data=1}`, of which there are four alike. */
export function decodeBytesMessage(bytes: Uint8Array): Uint8Array {
  const reader = new ByteReader(bytes);
  let data: Uint8Array = noData;
  while (!reader.done) {
    const key = reader.uint32();
    if (key === tag(1, LENGTH)) data = reader.bytes();
    else reader.skip(key);
  }
  return data;
}

export function encodeBytesMessage(data: Uint8Array): Buffer {
  const head = bytesMessageHead(data.length);
  const message = Buffer.allocUnsafe(head.length + data.length);
  message.set(head);
  message.set(data, head.length);
  return message;
}

/** What comes in front of the data of such a message: for those who send the data without copying it. */
export function bytesMessageHead(length: number): Buffer {
  const writer = new ByteWriter(16);
  writer.byte(tag(1, LENGTH));
  writer.varint(length);
  return writer.copy();
}
