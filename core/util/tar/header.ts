/** What a tar entry says about its file; shared by the writer and the reader. */
export type TarType = 'file' | 'link' | 'symlink' | 'charDevice' | 'blockDevice' | 'dir' | 'fifo';

export interface TarHeader {
  /** `/`-separated, without a leading slash; directories end in `/`. */
  readonly name: string;
  readonly type: TarType;
  /** Permission, set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow. */
  readonly size: number;
  /** Whole seconds since the epoch when written; nanoseconds when read. */
  readonly mtime: bigint;
  /** Target of a symbolic link, or the name of the entry that a hard link is. */
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
  readonly xattrs: Readonly<Record<string, Uint8Array>>;
}

export const BLOCK = 512;

export const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

export const typeFlags: Readonly<Record<TarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  charDevice: '3',
  blockDevice: '4',
  dir: '5',
  fifo: '6',
};

/** Offset and length of the fields of a ustar header. */
export const fields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkname: [157, 100],
  magic: [257, 6],
  version: [263, 2],
  uname: [265, 32],
  gname: [297, 32],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
} as const;
export type Field = keyof typeof fields;
