/** What a build is asked to export, parsed. */
import type { CacheBackend, CacheExport, InlineCache } from '../contracts/cache.js';
import { invalid } from '../contracts/errors.js';
import type { CacheEntry } from '../contracts/frontend.js';
import type { Contributions } from '../contracts/token.js';
import { didYouMean } from '../util/nearest.js';

export interface OpenCacheExport {
  readonly name: string;
  readonly export: CacheExport;
}
export interface OpenCacheExports {
  readonly exports: readonly OpenCacheExport[];
  readonly inline: InlineCache | undefined;
}

/** Looks every backend up and parses its attributes, before anything is solved. */
export function openCacheExports(
  entries: readonly CacheEntry[],
  backends: Contributions<CacheBackend>,
): OpenCacheExports {
  refuseDuplicates(entries);
  const exports: OpenCacheExport[] = [];
  let inline: InlineCache | undefined;
  for (const { type, attrs } of entries) {
    const backend = backends.get(type);
    if (backend?.inline) {
      inline = backend.inline(attrs);
      continue;
    }
    const opened = backend?.exporter?.(attrs);
    if (!opened) throw unknownExporter(type, backends.ids());
    exports.push({ name: opened.name ?? `exporting cache to ${type}`, export: opened });
  }
  return { exports, inline };
}

function refuseDuplicates(entries: readonly CacheEntry[]): void {
  const seen = new Set<string>();
  for (const { type, attrs } of entries) {
    const key = JSON.stringify([type, ...Object.entries(attrs).sort(([a], [b]) => (a < b ? -1 : 1))]);
    if (seen.has(key)) throw invalid('cache.duplicate-export', `duplicate cache exports [${type}]`);
    seen.add(key);
  }
}

function unknownExporter(type: string, known: readonly string[]): Error {
  return invalid('cache.unknown-exporter', `unknown cache exporter: "${type}"${didYouMean(type, known)}`, {
    hint: `Cache backends of this daemon: ${known.join(', ') || 'none'}.`,
  });
}
