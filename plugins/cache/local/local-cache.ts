/** Caches in an OCI layout of the client's. BuildKit: cache/remotecache/local. */
import {
  type CacheBackend,
  type CacheContext,
  type CacheExport,
  type CacheImport,
  type CacheImportContext,
  type CacheRecord,
  cacheManifestLabel,
} from '../../../core/contracts/cache.js';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import { invalid, notFound } from '../../../core/contracts/errors.js';
import type { ClientContent } from '../../../core/contracts/session.js';
import { type Digest, isDigest } from '../../../core/util/digest.js';
import { type Attributes, CacheAttributes, readCommonExport } from '../shared/attributes.js';
import { collectBlob, providerOf } from '../shared/blob.js';
import { readManifestKind } from '../shared/manifest.js';
import { readCache } from '../shared/read-cache.js';
import { type CacheTarget, writeCache } from '../shared/write-cache.js';

/** The client adds the manifest to the layout's index itself, under the tag; and looks the digest up for an import. */
export const localCache: CacheBackend = {
  exporter(attrs: Attributes): CacheExport {
    const reader = new CacheAttributes('local', attrs);
    const store = `local:${reader.required('dest')}`;
    const common = readCommonExport(reader);
    const kind = readManifestKind(reader);
    // What the client does with its folder is its own business.
    reader.ignore('tag', 'reset');
    reader.finish();
    return {
      ...common,
      name: 'exporting cache to client directory',
      export: async (records, context, signal) => {
        const content = await contentOf(context, store);
        return writeCache(records, kind, new ContentTarget(content, context), context, signal);
      },
    };
  },

  importer(attrs: Attributes): CacheImport {
    const reader = new CacheAttributes('local', attrs);
    const store = `local:${reader.required('src')}`;
    const digest = digestOf(reader.required('digest'));
    reader.ignore('tag');
    reader.finish();
    return {
      name: `local ${attrs.src}`,
      import: async (context, signal) => {
        const { dropped } = await context.session();
        return importFrom(await contentOf(context, store), dropped, { store, digest }, context, signal);
      },
    };
  },
};

const contentOf = async ({ session }: CacheContext, store: string): Promise<ClientContent> =>
  (await session()).content(store);

/** Its layers can be read as long as the client is there. */
const whileThere = (content: ClientContent, gone: AbortSignal): ContentProvider => ({
  gone,
  read: (descriptor, range, signal) => content.read(descriptor, range, signal),
});

function digestOf(text: string): Digest {
  if (isDigest(text)) return text;
  throw invalid('cache.attribute', `local cache: invalid digest "${text}"`);
}

async function importFrom(
  content: ClientContent,
  gone: AbortSignal,
  { store, digest }: { readonly store: string; readonly digest: Digest },
  context: CacheImportContext,
  signal: AbortSignal,
): Promise<readonly CacheRecord[]> {
  const info = await content.info(digest, signal);
  if (!info) throw notFound('cache.not-found', `${store} has no blob ${digest}`);
  const document = (descriptor: Descriptor, either: AbortSignal): Promise<Uint8Array> =>
    collectBlob(content, descriptor, either);
  const root = { mediaType: '', digest, size: info.size };
  const provider = whileThere(content, gone);
  return readCache({ name: store, provider, document, context }, root, signal);
}

class ContentTarget implements CacheTarget {
  readonly #content: ClientContent;
  readonly #context: CacheContext;

  constructor(content: ClientContent, context: CacheContext) {
    this.#content = content;
    this.#context = context;
  }

  async writeLayer(layer: Descriptor, source: ContentProvider, signal: AbortSignal): Promise<void> {
    if (await this.#content.info(layer.digest, signal)) return;
    await this.#content.write(layer, source.read(layer, {}, signal), signal);
  }

  async writeConfig(config: Descriptor, data: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.writeLayer(config, providerOf(data), signal);
  }

  async writeManifest(manifest: Descriptor, data: Uint8Array, signal: AbortSignal): Promise<void> {
    const { digest, mediaType } = manifest;
    await this.writeLayer(manifest, providerOf(data), signal);
    if (!this.#context.partial) return;
    const tagged = await this.#content.label?.(digest, { [cacheManifestLabel]: mediaType }, signal);
    if (tagged) return;
    const { progress } = this.#context;
    const short = `the client does not tag what a build without a result exports: import it with digest=${digest}`;
    progress.warn({ level: 1, short, detail: [] });
  }
}
