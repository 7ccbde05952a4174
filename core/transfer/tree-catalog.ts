/**
 * A transfer of metadata: of a list, only what some patterns match is brought, with the folders it lies in. The rest
 * is told in one more file, the catalog: every entry of the list as it came, each behind its length in four bytes,
 * little-endian. fsutil: receive.go, MetadataOnly.
 */
import { encodeStat } from '../../proto/fsutil.js';
import { type FileStat, plainFile } from '../contracts/refs.js';
import { isGoDir } from '../util/gofs/mode.js';
import { PatternMatcher } from '../util/patterns/pattern-matcher.js';

/** At the root of the tree. One that the sender has is left out. */
export const catalogPath = '.fsutil-metadata';

export class TreeCatalog {
  readonly #matcher: PatternMatcher;
  readonly #frames: Uint8Array[] = [];
  /** The folders above the last entry that have not been brought, from the root down. */
  #above: FileStat[] = [];

  constructor(patterns: readonly string[]) {
    this.#matcher = new PatternMatcher(patterns);
  }

  /** What is brought for the next entry: nothing, or the entry behind its folders. */
  select(stat: FileStat): readonly FileStat[] {
    if (stat.path === catalogPath) return [];
    this.#frames.push(frame(encodeStat(stat)));
    this.#above = this.#above.filter(({ path }) => stat.path.startsWith(`${path}/`));
    if (this.#matcher.matches(stat.path)) return [...this.#above.splice(0), stat];
    if (isGoDir(stat.mode)) this.#above.push(stat);
    return [];
  }

  file(): { readonly stat: FileStat; readonly data: Uint8Array } {
    const data = Buffer.concat(this.#frames);
    const modTime = BigInt(Date.now()) * 1_000_000n;
    return { stat: { ...plainFile, path: catalogPath, mode: 0o644, size: data.length, modTime }, data };
  }
}

function frame(message: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4 + message.length);
  bytes.writeUInt32LE(message.length);
  bytes.set(message, 4);
  return bytes;
}
