/**
 * A tar that is known before its content is read. The sizes of all headers and files fix where every byte stands, so
 * any part of the stream can be made on its own, by any thread, and the bytes are the same however it is cut.
 */
import { encodeHeader, headerSize, TRAILER_SIZE } from '../../util/tar/encode.js';
import { padded, type TarHeader } from '../../util/tar/header.js';

export type PlanItem =
  | { readonly kind: 'entry'; readonly header: TarHeader; readonly host: string }
  | { readonly kind: 'data'; readonly header: TarHeader; readonly data: Uint8Array }
  | { readonly kind: 'whiteout'; readonly name: string }
  /** A whole tar that is there already. */
  | { readonly kind: 'raw'; readonly host: string; readonly size: number }
  | { readonly kind: 'end' };

/** A part of the stream: `length` bytes, starting `skip` bytes into the first item. */
export interface PlanRange {
  readonly items: readonly PlanItem[];
  readonly skip: number;
  readonly length: number;
}

/** Part of a stream to compress on its own; its first `lead` bytes only serve as the compressor's dictionary. */
export interface PlanBlock extends PlanRange {
  readonly lead: number;
  readonly last: boolean;
}

/** An empty file without mode, owner and time. */
const whiteout = (name: string): TarHeader => ({
  name,
  type: 'file',
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0n,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: {},
});

/** Bytes behind the item's header, without padding. */
export function contentSize(item: PlanItem): number {
  switch (item.kind) {
    case 'entry':
    case 'data':
      return item.header.size;
    case 'raw':
      return item.size;
    case 'whiteout':
    case 'end':
      return 0;
    default:
      return item satisfies never;
  }
}

/** Bytes of an item in the stream. */
function itemSize(item: PlanItem): number {
  const header = headerOfItem(item);
  if (header) return headerSize(header) + padded(header.size);
  return item.kind === 'end' ? TRAILER_SIZE : contentSize(item);
}

/** Undefined for what is no entry. */
export function headerOfItem(item: PlanItem): TarHeader | undefined {
  switch (item.kind) {
    case 'entry':
    case 'data':
      return item.header;
    case 'whiteout':
      return whiteout(item.name);
    case 'raw':
    case 'end':
      return undefined;
    default:
      return item satisfies never;
  }
}

/** What stands in front of the item's content. */
export function encodeItem(item: PlanItem): Buffer {
  const header = headerOfItem(item);
  return header ? encodeHeader(header) : Buffer.alloc(item.kind === 'end' ? TRAILER_SIZE : 0);
}

/** Cuts a whole plan into blocks of `size` bytes, each with `lead` bytes of the one before in front. */
export function* cutBlocks(items: readonly PlanItem[], size: number, lead: number): Generator<PlanBlock> {
  const starts: number[] = [];
  let total = 0;
  for (const item of items) {
    starts.push(total);
    total += itemSize(item);
  }
  let first = 0;
  for (let start = 0; start < total; start += size) {
    const from = Math.max(0, start - lead);
    const to = Math.min(total, start + size);
    while (first + 1 < items.length && starts[first + 1]! <= from) first++;
    let end = first + 1;
    while (end < items.length && starts[end]! < to) end++;
    yield {
      items: items.slice(first, end),
      skip: from - starts[first]!,
      length: to - from,
      lead: start - from,
      last: to === total,
    };
  }
}
