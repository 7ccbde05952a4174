/**
 * The list of a received tree as it is kept with its ref: JSON, one array per entry, with the members that most files
 * lack left out at the end. Written and read in threads only; in between it is bytes. An unreadable list counts as
 * absent: then everything is transferred, or hashed, once more.
 */
import type { ReceivedEntry } from '../contracts/refs.js';

const version = 2;

type Row = readonly [
  path: string,
  mode: number,
  uid: number,
  gid: number,
  size: number,
  modTime: string,
  recordSha256: string | null,
  ...rest: [] | [linkname: string, devmajor: number, devminor: number, xattrs: Record<string, string>],
];

export function encodeList(entries: readonly ReceivedEntry[]): Uint8Array {
  return Buffer.from(JSON.stringify([version, ...entries.map(rowOf)]));
}

export function decodeList(list: Uint8Array): readonly ReceivedEntry[] | undefined {
  try {
    const [found, ...rows] = JSON.parse(Buffer.from(list).toString()) as [number, ...Row[]];
    return found === version ? rows.map(entryOf) : undefined;
  } catch {
    return undefined; // see the header: costs a transfer, loses nothing
  }
}

function rowOf(entry: ReceivedEntry): Row {
  const { path, mode, uid, gid, size, modTime, linkname, devmajor, devminor, xattrs } = entry;
  const common = [path, mode, uid, gid, size, String(modTime), entry.recordSha256 ?? null] as const;
  const names = Object.keys(xattrs);
  if (linkname === '' && devmajor === 0 && devminor === 0 && names.length === 0) return common;
  const encoded = Object.fromEntries(
    names.map((name) => [name, Buffer.from(xattrs[name]!).toString('base64')]),
  );
  return [...common, linkname, devmajor, devminor, encoded];
}

function entryOf(row: Row): ReceivedEntry {
  const [path, mode, uid, gid, size, modTime, recordSha256, ...rest] = row;
  const [linkname = '', devmajor = 0, devminor = 0, xattrs = {}] = rest;
  return {
    path,
    mode,
    uid,
    gid,
    size,
    modTime: BigInt(modTime),
    linkname,
    devmajor,
    devminor,
    xattrs: Object.fromEntries(
      Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
    ),
    ...(recordSha256 === null ? {} : { recordSha256 }),
  };
}
