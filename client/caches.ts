/**
 * The caches of a build as its client sees them: it serves the folders of local ones, looks their digests up, tags what
 * was written and removes what is not needed any more. BuildKit: client/solve.go parseCacheOptions.
 */
import { cacheManifestLabel } from '../core/contracts/cache.js';
import type { BlobInfo } from '../core/contracts/content.js';
import { invalid } from '../core/contracts/index.js';
import { parseGoBool } from '../core/util/go-bool.js';
import { control } from '../proto/index.js';
import { type IndexedManifest, LayoutIndex } from './session/layout-index.js';
import { LayoutStore } from './session/layout-store.js';
import { sweepLayout } from './session/layout-sweep.js';

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
  const folders: Folder[] = [];
  for (const { type, attrs } of exports) {
    if (type !== 'local') continue;
    const dir = required(attrs, 'dest', 'local cache exporter requires dest');
    const tag = attrs.tag || defaultTag;
    const store = new LayoutStore(dir, { writable: true, labeled: (blob) => tagPartial(dir, tag, blob) });
    stores.set(`local:${dir}`, store);
    folders.push({ dir, store, tag, reset: resetOf(attrs) });
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
      const manifest = JSON.parse(written) as IndexedManifest;
      for (const folder of folders) await tagFolder(folder, manifest, exports.length > 1, warn);
    },
  };
}

/** Of an exported cache. */
interface Folder {
  readonly dir: string;
  readonly store: LayoutStore;
  readonly tag: string;
  /** What no manifest leads to any more goes. */
  readonly reset: boolean;
}

function resetOf({ reset }: CacheSpec['attrs']): boolean {
  if (!reset) return false;
  const value = parseGoBool(reset);
  if (value !== undefined) return value;
  throw invalid(
    'client.cache',
    `local cache exporter: invalid value "${reset}" for reset: expected true or false`,
  );
}

/** Of a build that runs, or has failed: no response names the manifest, so the daemon labels it. */
async function tagPartial(dir: string, tag: string, { digest, size, labels }: BlobInfo): Promise<void> {
  const mediaType = labels[cacheManifestLabel];
  if (mediaType !== undefined) await new LayoutIndex(dir).put({ mediaType, digest, size }, tag);
}

async function tagFolder(
  { dir, store, tag, reset }: Folder,
  manifest: IndexedManifest,
  isOneOfSeveral: boolean,
  warn: (message: string) => void,
): Promise<void> {
  // Daemons name one manifest only, of whichever export.
  if (isOneOfSeveral && !(await store.info(manifest.digest))) {
    warn(`local cache at ${dir} was not tagged: the daemon named the manifest of another export`);
    return;
  }
  await new LayoutIndex(dir).put(manifest, tag);
  if (!reset) return;
  try {
    await sweepLayout(dir, new AbortController().signal);
  } catch (error) {
    warn(`local cache at ${dir} was not reset: ${(error as Error).message}`);
  }
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
