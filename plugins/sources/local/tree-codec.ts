/**
 * The received file list as it is kept with a ref: JSON, one array per entry, with the members that most files lack
 * left out at the end. An unreadable list counts as absent: then everything is transferred once more.
 */
import type { ReceivedEntry, ReceivedTree } from '../../../core/contracts/refs.js';

const version = 1;

type Row = readonly [
  path: string,
  mode: number,
  uid: number,
  gid: number,
  size: number,
  modTime: string,
  contentSha256: string | null,
  recordSha256: string | null,
  ...rest: [] | [linkname: string, devmajor: number, devminor: number, xattrs: Record<string, string>],
];

export function encodeTree(tree: ReceivedTree): Uint8Array {
  return Buffer.from(JSON.stringify([version, ...tree.entries.map(rowOf)]));
}

export function decodeTree(data: Uint8Array | undefined): ReceivedTree | undefined {
  if (data === undefined) return undefined;
  try {
    const [found, ...rows] = JSON.parse(Buffer.from(data).toString()) as [number, ...Row[]];
    return found === version ? { entries: rows.map(entryOf) } : undefined;
  } catch {
    return undefined; // see the header: costs a transfer, loses nothing
  }
}

function rowOf(entry: ReceivedEntry): Row {
  const { path, mode, uid, gid, size, modTime, linkname, devmajor, devminor, xattrs } = entry;
  const common = [
    path,
    mode,
    uid,
    gid,
    size,
    String(modTime),
    entry.contentSha256 ?? null,
    entry.recordSha256 ?? null,
  ] as const;
  const names = Object.keys(xattrs);
  if (linkname === '' && devmajor === 0 && devminor === 0 && names.length === 0) return common;
  const encoded = Object.fromEntries(
    names.map((name) => [name, Buffer.from(xattrs[name]!).toString('base64')]),
  );
  return [...common, linkname, devmajor, devminor, encoded];
}

function entryOf(row: Row): ReceivedEntry {
  const [path, mode, uid, gid, size, modTime, contentSha256, recordSha256, ...rest] = row;
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
    ...(contentSha256 === null ? {} : { contentSha256 }),
    ...(recordSha256 === null ? {} : { recordSha256 }),
  };
}
