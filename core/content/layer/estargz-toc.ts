/** The table of contents of an eStargz layer, and the footer that leads to it. */
import type { Digest } from '../../util/digest.js';
import type { TarHeader, TarType } from '../../util/tar/header.js';

/** Name of the table in its tar. */
export const TOC_NAME = 'stargz.index.json';

/** As in the JSON; what is absent is zero. */
export interface TocEntry {
  readonly name: string;
  readonly type: string;
  readonly size?: number;
  /** RFC 3339. */
  readonly modtime?: string;
  readonly linkName?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly devMajor?: number;
  readonly devMinor?: number;
  /** In base64. */
  readonly xattrs?: Readonly<Record<string, string>>;
  /** Of the whole file. */
  readonly digest?: Digest;
  /** Where the chunk's gzip member begins in the blob. */
  readonly offset?: number;
  /** Where the chunk begins in the file. */
  readonly chunkOffset?: number;
  /** Absent: to the end of the file. */
  readonly chunkSize?: number;
  readonly chunkDigest?: Digest;
}

const types: Readonly<Record<TarType, string>> = {
  file: 'reg',
  link: 'hardlink',
  symlink: 'symlink',
  charDevice: 'char',
  blockDevice: 'block',
  dir: 'dir',
  fifo: 'fifo',
};

/** What the table says of an entry before its content is known. */
export function tocEntry(header: TarHeader): TocEntry {
  const { name, type, mode, uid, gid, size, mtime, linkname, devmajor, devminor } = header;
  const xattrs = Object.entries(header.xattrs).map(
    ([key, value]) => [key, Buffer.from(value).toString('base64')] as const,
  );
  return {
    name,
    type: types[type],
    ...(type === 'file' && size > 0 ? { size } : {}),
    ...(mtime === 0n ? {} : { modtime: rfc3339(mtime) }),
    ...(linkname === '' ? {} : { linkName: linkname }),
    mode,
    uid,
    gid,
    ...(devmajor === 0 ? {} : { devMajor: devmajor }),
    ...(devminor === 0 ? {} : { devMinor: devminor }),
    ...(xattrs.length === 0 ? {} : { xattrs: Object.fromEntries(xattrs) }),
  };
}

const rfc3339 = (seconds: bigint): string =>
  new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z');

export const tocHeader = (size: number): TarHeader => ({
  name: TOC_NAME,
  type: 'file',
  mode: 0,
  uid: 0,
  gid: 0,
  size,
  mtime: 0n,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: {},
});

/** Flags of a gzip header: an extra field follows. */
const FEXTRA = 4;

/** An empty gzip member whose extra field holds the table's place in the blob. */
export function footer(tocOffset: number): Buffer {
  const place = Buffer.from(`${tocOffset.toString(16).padStart(16, '0')}STARGZ`);
  const extra = Buffer.alloc(4);
  extra.write('SG');
  extra.writeUInt16LE(place.length, 2);
  const extraSize = Buffer.alloc(2);
  extraSize.writeUInt16LE(extra.length + place.length);
  const header = Buffer.from([0x1f, 0x8b, 8, FEXTRA, 0, 0, 0, 0, 0, 0xff]);
  // One stored block without content, which is the last, then checksum and size of nothing.
  const empty = Buffer.from([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, extraSize, extra, place, empty]);
}
