/**
 * Writes tar headers, byte for byte as Go's archive/tar does in PAX format, so that a layer has the same headers
 * whoever built it: numbers as zero-filled octal, a PAX header only for what ustar cannot say, no user or group
 * names.
 */
import { BLOCK, type Field, fields, padded, type TarHeader, typeFlags } from './header.js';

/** Header blocks of one entry, a PAX header in front where needed. */
export function encodeHeader(header: TarHeader): Buffer {
  const { records, split } = layOut(header);
  const block = ustarBlock(split ? { ...header, name: split.name } : header, split?.prefix ?? '');
  return records.length === 0 ? block : Buffer.concat([encodePax(header.name, records), block]);
}

/** What `encodeHeader` will take; cheap, for planning. */
export function headerSize(header: TarHeader): number {
  const { records } = layOut(header);
  if (records.length === 0) return BLOCK;
  return 2 * BLOCK + padded(records.reduce((sum, record) => sum + record.length, 0));
}

/** The end of an archive. */
export const TRAILER_SIZE = 2 * BLOCK;

interface Layout {
  readonly records: readonly Buffer[];
  readonly split: SplitName | undefined;
}

/** A long name alone needs no PAX header if it can be split over two fields. */
function layOut(header: TarHeader): Layout {
  const extra = paxFields(header);
  const split = extra.length === 1 && extra[0]![0] === 'path' ? splitName(header.name) : undefined;
  return { records: split ? [] : extra.map(([key, value]) => paxRecord(key, value)), split };
}

interface SplitName {
  readonly prefix: string;
  readonly name: string;
}

/** Go: archive/tar splitUSTARPath. */
function splitName(name: string): SplitName | undefined {
  if (name.length <= fields.name[1] || !isAscii(name)) return undefined;
  let length = name.length;
  if (length > fields.prefix[1] + 1) length = fields.prefix[1] + 1;
  else if (name.endsWith('/')) length--;
  const slash = name.lastIndexOf('/', length - 1);
  const rest = name.length - slash - 1;
  if (slash <= 0 || rest > fields.name[1] || rest === 0 || slash > fields.prefix[1]) return undefined;
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) };
}

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);
/** Field lengths of numbers stay within what a JavaScript number holds exactly. */
const fitsOctal = (value: number, field: Field): boolean => value >= 0 && value < 8 ** (fields[field][1] - 1);

type PaxField = readonly [key: string, value: string | Uint8Array];

/** Sorted by key, as the records of one header have to be for equal bytes. */
function paxFields(header: TarHeader): readonly PaxField[] {
  const records: PaxField[] = [];
  for (const name of Object.keys(header.xattrs)) records.push([`SCHILY.xattr.${name}`, header.xattrs[name]!]);
  for (const field of ['gid', 'mtime', 'size', 'uid'] as const) {
    const value = Number(header[field]);
    if (!fitsOctal(value, field)) records.push([field, String(value)]);
  }
  if (header.linkname.length > fields.linkname[1] || !isAscii(header.linkname)) {
    records.push(['linkpath', header.linkname]);
  }
  if (header.name.length > fields.name[1] || !isAscii(header.name)) records.push(['path', header.name]);
  if (records.length > 1) records.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return records;
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = body.length + String(body.length).length;
  if (String(length).length + body.length !== length) length = body.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

function encodePax(name: string, records: readonly Buffer[]): Buffer {
  const size = records.reduce((sum, record) => sum + record.length, 0);
  const result = Buffer.alloc(BLOCK + padded(size));
  putText(result, 'name', paxName(name));
  putOctal(result, 'mode', 0);
  putOctal(result, 'uid', 0);
  putOctal(result, 'gid', 0);
  putOctal(result, 'size', size);
  putOctal(result, 'mtime', 0);
  result.write('x', fields.type[0]);
  putMagic(result);
  putChecksum(result);
  Buffer.concat(records).copy(result, BLOCK);
  return result;
}

/** `dir/PaxHeaders.0/file`, cut to the field. */
function paxName(name: string): string {
  const slash = name.lastIndexOf('/');
  const dir = name.slice(0, slash + 1);
  const joined = `${dir}PaxHeaders.0/${name.slice(slash + 1)}`.replace(/\/$/, '');
  return asciiOnly(joined).slice(0, fields.name[1]).replace(/\/+$/, '');
}

function ustarBlock(header: TarHeader, prefix: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  putText(block, 'name', header.name);
  putOctal(block, 'mode', header.mode);
  putOctal(block, 'uid', header.uid);
  putOctal(block, 'gid', header.gid);
  putOctal(block, 'size', header.size);
  putOctal(block, 'mtime', Number(header.mtime));
  block.write(typeFlags[header.type], fields.type[0]);
  putText(block, 'linkname', header.linkname);
  putOctal(block, 'devmajor', header.devmajor);
  putOctal(block, 'devminor', header.devminor);
  putText(block, 'prefix', prefix);
  putMagic(block);
  putChecksum(block);
  return block;
}

const asciiOnly = (text: string): string => (isAscii(text) ? text : text.replace(/[^\0-\x7f]/gu, ''));

/** Too long texts are cut; a cut that would end in `/` ends before it, or readers take the file for a directory. */
function putText(block: Buffer, field: Field, text: string): void {
  const [offset, length] = fields[field];
  const ascii = asciiOnly(text);
  let cut = ascii.slice(0, length);
  if (ascii.length > length && cut.endsWith('/')) cut = cut.replace(/\/+$/, '');
  block.write(cut, offset, 'latin1');
}

/** What does not fit is 0 here and stands in the PAX header. */
function putOctal(block: Buffer, field: Field, value: number): void {
  const [offset, length] = fields[field];
  const shown = fitsOctal(value, field) ? value : 0;
  block.write(shown.toString(8).padStart(length - 1, '0'), offset, 'latin1');
}

function putMagic(block: Buffer): void {
  block.write('ustar\0', fields.magic[0], 'latin1');
  block.write('00', fields.version[0], 'latin1');
}

function putChecksum(block: Buffer): void {
  const [offset, length] = fields.checksum;
  block.fill(' ', offset, offset + length);
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += block[at]!;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, offset, 'latin1');
}
