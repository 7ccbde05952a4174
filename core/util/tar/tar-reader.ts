/**
 * Reads a tar that is pushed in as it arrives: ustar, PAX, GNU long names and base-256 numbers. Entries and their
 * content go to a handler as they come, nothing is kept. Sparse files are refused: their content cannot be told from the
 * bytes alone. Global PAX headers must be well-formed and mean nothing, as in Go's archive/tar.
 */
import { BLOCK, type Field, fields, padded, type TarHeader, type TarType, typeFlags } from './header.js';

export interface TarHandler {
  entry(header: TarHeader): void;
  /** A piece of the last entry's content; valid during the call only. */
  data(chunk: Uint8Array): void;
  /** The last entry is complete. */
  entryEnd(): void;
}

export class TarError extends Error {
  override readonly name = 'TarError';
}

/** More metadata than this for one entry is an attack or garbage. */
const MAX_META = 1 << 20;
/** Linux: PATH_MAX. What is longer could be made step by step, but never named again. */
const MAX_PATH = 4096;
const typesByFlag = new Map(Object.entries(typeFlags).map(([type, flag]) => [flag, type as TarType]));
const emptyRecords: ReadonlyMap<string, Buffer> = new Map();

export class TarReader {
  readonly #handler: TarHandler;
  readonly #block = Buffer.alloc(BLOCK);
  #filled = 0;
  /** Content of the present entry still to come, and the padding behind it. */
  #remaining = 0;
  #padding = 0;
  /** Collects the content of a metadata entry (PAX header, long name). */
  #meta: { readonly flag: string; readonly chunks: Buffer[] } | undefined;
  #inEntry = false;
  #ended = false;
  #pax = emptyRecords;
  #longName: string | undefined;
  #longLink: string | undefined;
  /** Bytes before the present header, for messages. */
  #offset = 0;

  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  /** The two zero blocks were seen; what follows is ignored. */
  get ended(): boolean {
    return this.#ended;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#ended) {
      if (this.#remaining > 0) at += this.#takeContent(chunk, at);
      else if (this.#padding > 0) {
        const skip = Math.min(this.#padding, chunk.length - at);
        this.#padding -= skip;
        at += skip;
      } else at += this.#takeHeader(chunk, at);
    }
  }

  /** Call when the input is over; a tar without its end marker is accepted, a cut entry is not. */
  end(): void {
    if (this.#ended) return;
    if (this.#remaining > 0 || this.#meta || this.#filled > 0) {
      throw new TarError(`unexpected end of archive at byte ${this.#offset}`);
    }
  }

  #takeContent(chunk: Uint8Array, at: number): number {
    const size = Math.min(this.#remaining, chunk.length - at);
    const part = chunk.subarray(at, at + size);
    if (this.#meta) this.#meta.chunks.push(Buffer.from(part));
    else this.#handler.data(part);
    this.#remaining -= size;
    if (this.#remaining === 0) this.#finishEntry();
    return size;
  }

  #finishEntry(): void {
    if (this.#meta) {
      const { flag, chunks } = this.#meta;
      this.#meta = undefined;
      this.#applyMeta(flag, Buffer.concat(chunks));
    } else if (this.#inEntry) {
      this.#inEntry = false;
      this.#handler.entryEnd();
    }
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const size = Math.min(BLOCK - this.#filled, chunk.length - at);
    this.#block.set(chunk.subarray(at, at + size), this.#filled);
    this.#filled += size;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      this.#header(this.#block);
      this.#offset += BLOCK;
    }
    return size;
  }

  #header(block: Buffer): void {
    if (block[0] === 0 && block.every((byte) => byte === 0)) {
      this.#ended = true;
      return;
    }
    this.#verify(block);
    const flag = String.fromCharCode(block[fields.type[0]]!);
    const size = this.#sizeOf(block);
    if ('xgLK'.includes(flag)) this.#startMeta(flag, size);
    else this.#startEntry(block, flag, size);
    this.#offset += padded(size);
  }

  #startMeta(flag: string, size: number): void {
    if (size > MAX_META) throw new TarError(`a header of ${size} bytes at byte ${this.#offset} is too large`);
    this.#meta = { flag, chunks: [] };
    this.#remaining = size;
    this.#padding = padded(size) - size;
    if (size === 0) this.#finishEntry();
  }

  #startEntry(block: Buffer, flag: string, ustarSize: number): void {
    const pax = this.#pax;
    if (flag === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
      throw new TarError(`${this.#nameOf(block, pax)} is a sparse file, which is not supported`);
    }
    const type = typesByFlag.get(flag === '\0' || flag === '7' ? '0' : flag);
    if (!type) throw new TarError(`${this.#nameOf(block, pax)} is of unknown type ${JSON.stringify(flag)}`);
    const header = this.#makeHeader(block, type, ustarSize, pax);
    this.#pax = emptyRecords;
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#inEntry = true;
    this.#remaining = header.size;
    this.#padding = padded(header.size) - header.size;
    this.#handler.entry(header);
    if (header.size === 0) this.#finishEntry();
  }

  #makeHeader(block: Buffer, given: TarType, ustarSize: number, pax: ReadonlyMap<string, Buffer>): TarHeader {
    const name = this.#nameOf(block, pax);
    // Before there were directories in tar, a trailing slash made one.
    const type = given === 'file' && name.endsWith('/') ? 'dir' : given;
    const size = decimalRecord(pax, 'size') ?? ustarSize;
    const linkname = pax.get('linkpath')?.toString() ?? this.#longLink ?? readText(block, 'linkname');
    checkPath(name);
    checkPath(linkname);
    return {
      name,
      type,
      mode: readNumber(block, 'mode') & 0o7777,
      uid: decimalRecord(pax, 'uid') ?? readNumber(block, 'uid'),
      gid: decimalRecord(pax, 'gid') ?? readNumber(block, 'gid'),
      size: type === 'file' ? size : 0,
      mtime: readTime(block, pax),
      linkname,
      devmajor: readNumber(block, 'devmajor'),
      devminor: readNumber(block, 'devminor'),
      xattrs: readXattrs(pax),
    };
  }

  #nameOf(block: Buffer, pax: ReadonlyMap<string, Buffer>): string {
    const long = pax.get('path')?.toString() ?? this.#longName;
    if (long !== undefined) return long;
    const name = readText(block, 'name');
    // GNU keeps times where ustar has the prefix.
    const ustar = block.toString('latin1', fields.magic[0], fields.magic[0] + 6) === 'ustar\0';
    const prefix = ustar ? readText(block, 'prefix') : '';
    return prefix === '' ? name : `${prefix}/${name}`;
  }

  #applyMeta(flag: string, content: Buffer): void {
    if (flag === 'L') this.#longName = cutAtNul(content);
    else if (flag === 'K') this.#longLink = cutAtNul(content);
    else if (flag === 'g') parsePax(content);
    else this.#pax = parsePax(content);
  }

  #sizeOf(block: Buffer): number {
    const size = readNumber(block, 'size');
    if (size < 0) throw new TarError(`negative size at byte ${this.#offset}`);
    return size;
  }

  #verify(block: Buffer): void {
    const stored = readNumber(block, 'checksum');
    if (stored !== checksum(block) && stored !== checksum(signedBytes(block))) {
      throw new TarError(`no tar header at byte ${this.#offset}: its checksum is wrong`);
    }
  }
}

/** The sum of all bytes, with the field for it taken as blanks. */
function checksum(block: ArrayLike<number>): number {
  const [offset, length] = fields.checksum;
  let sum = length * 0x20;
  for (let at = 0; at < BLOCK; at++) sum += block[at]!;
  for (let at = offset; at < offset + length; at++) sum -= block[at]!;
  return sum;
}

/** Some old archivers summed up signed characters. */
const signedBytes = (block: Buffer): Int8Array => new Int8Array(block.buffer, block.byteOffset, block.length);

function cutAtNul(content: Buffer): string {
  const nul = content.indexOf(0);
  return content.toString('utf8', 0, nul === -1 ? content.length : nul);
}

/** No path of the kernel has a NUL; whoever takes it for the end of the name would see another one. */
function checkPath(path: string): void {
  if (path.includes('\0')) throw new TarError(`${JSON.stringify(path.slice(0, 200))} has a NUL`);
  if (path.length > MAX_PATH) throw new TarError(`${path.slice(0, 200)}… is longer than a path can be`);
}

function readText(block: Buffer, field: Field): string {
  const [offset, length] = fields[field];
  return cutAtNul(block.subarray(offset, offset + length));
}

/** Octal text, or base 256 when the first bit is set. */
function readNumber(block: Buffer, field: Field): number {
  const [offset, length] = fields[field];
  const first = block[offset]!;
  if (first & 0x80) {
    let value = BigInt(first & 0x7f);
    for (let at = offset + 1; at < offset + length; at++) value = (value << 8n) | BigInt(block[at]!);
    return Number(BigInt.asIntN(length * 8 - 1, value));
  }
  const end = offset + length;
  let at = skipBlanks(block, offset, end);
  let value = 0;
  for (; at < end && block[at]! >= 0x30 && block[at]! <= 0x37; at++) value = value * 8 + block[at]! - 0x30;
  if (skipBlanks(block, at, end) === end) return value;
  const text = block
    .toString('latin1', offset, end)
    .replace(/[\0 ]+/g, ' ')
    .trim();
  throw new TarError(`"${text}" is no octal number for ${field}`);
}

function skipBlanks(block: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && (block[at] === 0 || block[at] === 0x20)) at++;
  return at;
}

function readTime(block: Buffer, pax: ReadonlyMap<string, Buffer>): bigint {
  const record = pax.get('mtime')?.toString();
  if (record === undefined) return BigInt(readNumber(block, 'mtime')) * 1_000_000_000n;
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(record);
  if (!match) throw new TarError(`"${record}" is no time`);
  const nanos = BigInt(match[2]!) * 1_000_000_000n + BigInt((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  return match[1] === '-' ? -nanos : nanos;
}

function decimalRecord(pax: ReadonlyMap<string, Buffer>, key: string): number | undefined {
  const text = pax.get(key)?.toString();
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new TarError(`"${text}" is no number for ${key}`);
  return Number(text);
}

function readXattrs(pax: ReadonlyMap<string, Buffer>): Readonly<Record<string, Uint8Array>> {
  const prefix = 'SCHILY.xattr.';
  const found = [...pax].filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(found.map(([key, value]) => [key.slice(prefix.length), value]));
}

/** Values are bytes: extended attributes need not be text. An empty value takes an earlier one back. */
function parsePax(content: Buffer): ReadonlyMap<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const length = Number.parseInt(content.toString('latin1', at, space), 10);
    const equals = content.indexOf(0x3d, space);
    const end = at + length;
    if (space === -1 || !(length > 0) || end > content.length || equals === -1 || content[end - 1] !== 0x0a) {
      throw new TarError('a PAX header is malformed');
    }
    const value = content.subarray(equals + 1, end - 1);
    const key = content.toString('utf8', space + 1, equals);
    if (key.includes('\0')) throw new TarError('a PAX header is malformed: a key has a NUL');
    records.set(key, value);
    at = end;
  }
  for (const [key, value] of records)
    if (value.length === 0 && !key.startsWith('SCHILY.')) records.delete(key);
  return records;
}
