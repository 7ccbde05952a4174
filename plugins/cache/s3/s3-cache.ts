/** Caches in a bucket of S3, or of what speaks like it. BuildKit: cache/remotecache/s3; wire facts E6.9. */
import type { CacheBackend, CacheExport, CacheImport } from '../../../core/contracts/cache.js';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import { BuildError } from '../../../core/contracts/errors.js';
import type { Digest } from '../../../core/util/digest.js';
import { type ObjectTarget, readAnnotated, writeAnnotated } from '../shared/annotated-cache.js';
import { type Attributes, CacheAttributes, exportOnly, readCommonExport } from '../shared/attributes.js';
import { maxCopy, S3Client } from './s3-client.js';
import { readS3Options, type S3Options } from './s3-options.js';

export class S3Cache implements CacheBackend {
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  exporter(attrs: Attributes): CacheExport {
    const reader = new CacheAttributes('s3', attrs);
    const options = readS3Options(reader, this.#env);
    const common = readCommonExport(reader);
    reader.finish();
    const target = new S3Target(new S3Client(options), options);
    return {
      ...common,
      name: 'exporting cache to Amazon S3',
      export: (records, context, signal) =>
        writeAnnotated(records, target, options.parallelism, context, signal),
    };
  }

  importer(attrs: Attributes): CacheImport {
    const reader = new CacheAttributes('s3', attrs);
    const options = readS3Options(reader, this.#env);
    reader.ignore(...exportOnly);
    reader.finish();
    const client = new S3Client(options);
    const provider: ContentProvider = {
      read: ({ digest }, range, signal) => client.read(blobKey(options, digest), range, signal),
    };
    const key = `${options.manifests}${options.names[0]}`;
    return {
      name: `s3 ${key}`,
      import: async (context, signal) => {
        const data = await client.get(key, signal);
        return data ? readAnnotated(data, provider, `s3: ${key}`, context) : [];
      },
    };
  }
}

const blobKey = ({ blobs }: S3Options, digest: Digest): string => `${blobs}${digest}`;

class S3Target implements ObjectTarget {
  readonly #client: S3Client;
  readonly #options: S3Options;

  constructor(client: S3Client, options: S3Options) {
    this.#client = client;
    this.#options = options;
  }

  async hasLayer({ digest }: Descriptor, signal: AbortSignal): Promise<boolean> {
    const key = blobKey(this.#options, digest);
    const found = await this.#client.head(key, signal);
    if (!found) return false;
    const isOld = Date.now() - found.modified > this.#options.touchRefresh;
    if (isOld && found.size < maxCopy) await this.#client.touch(key, signal);
    // A copy of that size takes many requests; sending it again keeps it just as young.
    return !isOld || found.size < maxCopy;
  }

  async writeLayer(layer: Descriptor, source: ContentProvider, signal: AbortSignal): Promise<void> {
    const data = source.read(layer, {}, signal);
    await this.#client.putStream(blobKey(this.#options, layer.digest), data, layer.size, signal);
  }

  async writeConfig(data: Uint8Array, signal: AbortSignal): Promise<void> {
    for (const name of this.#options.names) {
      await this.#client.put(`${this.#options.manifests}${name}`, data, signal).catch((error: unknown) => {
        throw BuildError.from(error).wrap(`error writing manifest: ${name}`);
      });
    }
  }
}
