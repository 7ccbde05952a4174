/**
 * The caches of a build as its client sees them: it serves the folders of local ones, looks their digests up and tags what
 * was written. BuildKit: client/solve.go parseCacheOptions.
 */
import { invalid } from '../core/contracts/index.js';
import { control } from '../proto/index.js';
import { type IndexedManifest, LayoutIndex } from './session/layout-index.js';
import { LayoutStore } from './session/layout-store.js';

export interface CacheSpec {
  /** `registry`, `local`, `inline`, … */
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

export interface PreparedCaches {
  readonly options: control.CacheOptions;
  /** For frontends, which import caches themselves. */
  readonly opts: Readonly<Record<string, string>>;
  readonly stores: ReadonlyMap<string, LayoutStore>;
  /** Tags what was exported. */
  finish(response: Readonly<Record<string, string>>): Promise<void>;
}

const defaultTag = 'latest';

export async function prepareCaches(
  exports: readonly CacheSpec[],
  imports: readonly CacheSpec[],
  warn: (message: string) => void,
): Promise<PreparedCaches> {
  const stores = new Map<string, LayoutStore>();
  const tags: [dir: string, tag: string][] = [];
  for (const { type, attrs } of exports) {
    if (type !== 'local') continue;
    const dir = required(attrs, 'dest', 'local cache exporter requires dest');
    stores.set(`local:${dir}`, new LayoutStore(dir, { writable: true }));
    tags.push([dir, attrs.tag || defaultTag]);
  }
  const found = await Promise.all(
    imports.map((spec) => (spec.type === 'local' ? withDigest(spec, stores, warn) : spec)),
  );
  const entries = found.flatMap((spec) => (spec ? [entryOf(spec)] : []));
  return {
    options: control.CacheOptions.create({ Exports: exports.map(entryOf), Imports: entries }),
    opts: entries.length > 0 ? { 'cache-imports': JSON.stringify(entries) } : {},
    stores,
    async finish(response) {
      const written = response['cache.manifest'];
      if (written === undefined) return;
      for (const [dir, tag] of tags) {
        await new LayoutIndex(dir).put(JSON.parse(written) as IndexedManifest, tag);
      }
    },
  };
}

/** A cache that is not there yet is no error: the build that makes it imports it as well. */
async function withDigest(
  spec: CacheSpec,
  stores: Map<string, LayoutStore>,
  warn: (message: string) => void,
): Promise<CacheSpec | undefined> {
  const { attrs } = spec;
  const dir = required(attrs, 'src', 'local cache importer requires src');
  const tag = attrs.tag || defaultTag;
  const digest = attrs.digest || (await new LayoutIndex(dir).find(tag))?.digest;
  if (!digest) {
    warn(`local cache import at ${dir} not found: there is no tag "${tag}" in its index.json`);
    return undefined;
  }
  const name = `local:${dir}`;
  if (!stores.has(name)) stores.set(name, new LayoutStore(dir));
  return { ...spec, attrs: { ...attrs, digest } };
}

function required(attrs: CacheSpec['attrs'], name: string, message: string): string {
  const value = attrs[name];
  if (value) return value;
  throw invalid('client.cache', message);
}

const entryOf = ({ type, attrs }: CacheSpec): control.CacheOptionsEntry =>
  control.CacheOptionsEntry.create({ Type: type, Attrs: { ...attrs } });
