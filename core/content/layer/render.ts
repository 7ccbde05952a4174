/** Makes the bytes of a part of a planned tar. Synchronous: for worker threads. */
import fs from 'node:fs';
import { BuildError } from '../../contracts/errors.js';
import { Scratch } from '../../util/scratch.js';
import { padded } from '../../util/tar/header.js';
import { contentSize, encodeItem, type PlanItem, type PlanRange } from './tar-plan.js';

const scratch = new Scratch();

/** The whole range at once; callers keep ranges small. The buffer is this thread's, valid until the next call. */
export function renderRange(range: PlanRange): Buffer {
  const output = scratch.take(range.length).fill(0);
  let at = 0;
  let skip = range.skip;
  for (const item of range.items) {
    const header = encodeItem(item);
    const length = Math.min(header.length + padded(contentSize(item)) - skip, output.length - at);
    renderItem(item, header, skip, output.subarray(at, at + length));
    at += length;
    skip = 0;
    if (at === output.length) break;
  }
  if (at !== output.length) throw new Error(`a tar plan of ${range.length} bytes ends after ${at}`);
  return output;
}

/** Fills `output`, which is zeroed, with the item's bytes from `offset` on. */
function renderItem(item: PlanItem, header: Buffer, offset: number, output: Buffer): void {
  const at = offset < header.length ? header.copy(output, 0, offset) : 0;
  const from = offset + at - header.length;
  const length = Math.min(output.length - at, contentSize(item) - from);
  if (length <= 0) return;
  renderContent(item, from, output.subarray(at, at + length));
}

/** A part of what follows the item's header. */
export function readContent(item: PlanItem, from: number, length: number): Buffer {
  const output = Buffer.allocUnsafeSlow(length);
  renderContent(item, from, output);
  return output;
}

function renderContent(item: PlanItem, from: number, into: Buffer): void {
  if (item.kind === 'data') into.set(item.data.subarray(from, from + into.length));
  else if (item.kind === 'entry' || item.kind === 'raw') readInto(item.host, from, into);
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
