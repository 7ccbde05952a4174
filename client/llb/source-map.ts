import type { SourceRange } from '../../core/contracts/errors.js';
import type { LlbDefinition } from '../../core/contracts/frontend.js';
import type { Digest } from '../../core/util/digest.js';

/** A file that steps were written in. Maps with equal content are one in a definition. */
export interface SourceMap {
  readonly filename: string;
  readonly language: string;
  readonly data: Uint8Array;
  /** What produced the file, if LLB did. */
  readonly definition?: LlbDefinition;
}

export interface SourceLocation {
  readonly map: SourceMap;
  readonly ranges: readonly SourceRange[];
}

/** Gathers locations by op digest while a definition is written. */
export class SourceMapCollector {
  readonly maps: SourceMap[] = [];
  readonly locations = new Map<
    Digest,
    { readonly mapIndex: number; readonly ranges: readonly SourceRange[] }[]
  >();

  add(digest: Digest, locations: readonly SourceLocation[]): void {
    const known = this.locations.get(digest) ?? [];
    for (const { map, ranges } of locations) known.push({ mapIndex: this.#indexOf(map), ranges });
    this.locations.set(digest, known);
  }

  #indexOf(map: SourceMap): number {
    const known = this.maps.findIndex((other) => other === map || sameMap(other, map));
    return known >= 0 ? known : this.maps.push(map) - 1;
  }
}

const sameMap = (a: SourceMap, b: SourceMap): boolean =>
  a.filename === b.filename && a.language === b.language && Buffer.compare(a.data, b.data) === 0;
