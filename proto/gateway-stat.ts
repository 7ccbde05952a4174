/**
 * ReadDir and StatFile answers carry times in nanoseconds, which a JavaScript number cannot; their codec goes through
 * the exact one of tree transfers.
 */
import type { TreeStat } from '../core/contracts/files.js';
import type { FileStat } from '../core/contracts/refs.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { decodeStat, encodeStat } from './fsutil.js';

const STAT = (1 << 3) | 2;

/** ReadDirResponse repeats field 1, StatFileResponse has it once: the same bytes. */
export function encodeStats(stats: readonly (TreeStat | FileStat)[]): Buffer {
  const writer = new ByteWriter();
  for (const stat of stats) {
    const body = encodeStat('xattrs' in stat ? stat : { ...stat, xattrs: {} });
    writer.byte(STAT);
    writer.varint(body.length);
    writer.bytes(body);
  }
  return writer.take();
}

export function decodeStats(bytes: Uint8Array): readonly FileStat[] {
  const reader = new ByteReader(bytes);
  const stats: FileStat[] = [];
  while (!reader.done) {
    const key = reader.uint32();
    if (key === STAT) stats.push(decodeStat(reader.bytes()));
    else reader.skip(key);
  }
  return stats;
}
