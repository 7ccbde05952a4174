import type { FileStat } from '../contracts/refs.js';

/** A tree to send. Synchronous: for worker threads. */
export interface TreeSource {
  /** Entries in the order of a transfer. */
  entries(): Iterable<SourceEntry>;
}
export interface SourceEntry {
  readonly stat: FileStat;
  /** Where the content of a regular file is, on disk or in memory. */
  readonly content?: string | Uint8Array;
}
