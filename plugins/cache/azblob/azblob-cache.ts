/** Caches in a container of Azure's blob storage. BuildKit: cache/remotecache/azblob; wire facts E6.9. */
import type { CacheBackend, CacheExport, CacheImport } from '../../../core/contracts/cache.js';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import { sha256 } from '../../../core/util/digest.js';
import { type ObjectTarget, readAnnotated, writeAnnotated } from '../shared/annotated-cache.js';
import { type Attributes, CacheAttributes, exportOnly, readCommonExport } from '../shared/attributes.js';
import { providerOf } from '../shared/blob.js';
import { AzblobClient } from './azblob-client.js';
import { type AzblobOptions, readAzblobOptions } from './azblob-options.js';

/** Layers sent at once. */
const AT_ONCE = 4;

export class AzblobCache implements CacheBackend {
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  exporter(attrs: Attributes): CacheExport {
    const reader = new CacheAttributes('azblob', attrs);
    const options = readAzblobOptions(reader, this.#env);
    const common = readCommonExport(reader);
    reader.finish();
    const client = new AzblobClient(options);
    return {
      ...common,
      name: 'exporting cache to Azure Blob Storage',
      export: async (records, context, signal) => {
        await client.open(signal);
        return writeAnnotated(records, new AzblobTarget(client, options), AT_ONCE, context, signal);
      },
    };
  }

  importer(attrs: Attributes): CacheImport {
    const reader = new CacheAttributes('azblob', attrs);
    const options = readAzblobOptions(reader, this.#env);
    reader.ignore(...exportOnly);
    reader.finish();
    const client = new AzblobClient(options);
    const provider: ContentProvider = {
      read: ({ digest }, range, signal) => client.read(`${options.blobs}/${digest}`, range, signal),
    };
    const name = `${options.manifests}/${options.names[0]}`;
    return {
      name: `azblob ${name}`,
      import: async (context, signal) => {
        const data = await client.get(name, signal);
        return data ? readAnnotated(data, provider, `azblob: ${name}`, context) : [];
      },
    };
  }
}

class AzblobTarget implements ObjectTarget {
  readonly #client: AzblobClient;
  readonly #options: AzblobOptions;

  constructor(client: AzblobClient, options: AzblobOptions) {
    this.#client = client;
    this.#options = options;
  }

  hasLayer({ digest }: Descriptor, signal: AbortSignal): Promise<boolean> {
    return this.#client.exists(`${this.#options.blobs}/${digest}`, signal);
  }

  async writeLayer(layer: Descriptor, source: ContentProvider, signal: AbortSignal): Promise<void> {
    await this.#client.put(`${this.#options.blobs}/${layer.digest}`, source.read(layer, {}, signal), signal);
  }

  async writeConfig(data: Uint8Array, signal: AbortSignal): Promise<void> {
    const descriptor = { mediaType: '', digest: sha256(data), size: data.length };
    for (const name of this.#options.names) {
      const bytes = providerOf(data).read(descriptor, {}, signal);
      await this.#client.put(`${this.#options.manifests}/${name}`, bytes, signal);
    }
  }
}
