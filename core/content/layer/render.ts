/** Makes the bytes of a part of a planned tar. Synchronous: for worker threads. */
import fs from 'node:fs';
import { BuildError } from '../../contracts/errors.js';
import { encodeItem, itemSize, type PlanItem, type PlanRange } from './tar-plan.js';

/** The whole range at once; callers keep ranges small. */
export function renderRange(range: PlanRange): Buffer {
  const output = Buffer.alloc(range.length);
  let at = 0;
  let skip = range.skip;
  for (const item of range.items) {
    const size = itemSize(item);
    const length = Math.min(size - skip, output.length - at);
    renderItem(item, skip, output.subarray(at, at + length));
    at += length;
    skip = 0;
    if (at === output.length) break;
  }
  if (at !== output.length) throw new Error(`a tar plan of ${range.length} bytes ends after ${at}`);
  return output;
}

/** Fills `output`, which is zeroed, with the item's bytes from `offset` on. */
function renderItem(item: PlanItem, offset: number, output: Buffer): void {
  if (item.kind === 'raw') {
    readInto(item.host, offset, output);
    return;
  }
  const header = encodeItem(item);
  let at = 0;
  if (offset < header.length) at = header.copy(output, 0, offset);
  if (at === output.length || (item.kind !== 'entry' && item.kind !== 'data')) return;
  const from = offset + at - header.length;
  const length = Math.min(output.length - at, item.header.size - from);
  if (length <= 0) return;
  if (item.kind === 'data') output.set(item.data.subarray(from, from + length), at);
  else readInto(item.host, from, output.subarray(at, at + length));
}

function readInto(host: string, position: number, into: Buffer): void {
  const fd = fs.openSync(host, 'r');
  try {
    for (let filled = 0; filled < into.length; ) {
      const size = fs.readSync(fd, into, filled, into.length - filled, position + filled);
      if (size === 0) throw new BuildError('layer.changed', `${host} became shorter while it was read`);
      filled += size;
    }
  } finally {
    fs.closeSync(fd);
  }
}
