/** Caches in the service of GitHub's runners. BuildKit: cache/remotecache/gha; wire facts E6.8. */
import type {
  CacheBackend,
  CacheExport,
  CacheImport,
  CacheImportContext,
  CacheRecord,
} from '../../../core/contracts/cache.js';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import { BuildError, notFound } from '../../../core/contracts/errors.js';
import { hexOf, sha256 } from '../../../core/util/digest.js';
import { together } from '../../../core/util/together.js';
import { type ObjectTarget, readAnnotated, writeAnnotated } from '../shared/annotated-cache.js';
import { type Attributes, CacheAttributes, exportOnly, readCommonExport } from '../shared/attributes.js';
import { providerOf } from '../shared/blob.js';
import { GhaClient } from './gha-client.js';
import { type GhaOptions, readGhaOptions } from './gha-options.js';

/** Layers sent at once: the service limits requests. */
const AT_ONCE = 4;

export const ghaCache: CacheBackend = {
  exporter(attrs: Attributes): CacheExport {
    const reader = new CacheAttributes('gha', attrs);
    const options = readGhaOptions(reader);
    const common = readCommonExport(reader);
    reader.finish();
    return {
      ...common,
      name: 'exporting to GitHub Actions Cache',
      export: (records, context, signal) => {
        const limited = AbortSignal.any([signal, AbortSignal.timeout(options.timeout)]);
        return writeAnnotated(records, new GhaTarget(options), AT_ONCE, context, limited);
      },
    };
  },

  importer(attrs: Attributes): CacheImport {
    const reader = new CacheAttributes('gha', attrs);
    const options = readGhaOptions(reader);
    reader.ignore(...exportOnly);
    reader.finish();
    return {
      name: `gha ${options.scope}`,
      import: (context, signal) =>
        importScopes(options, context, AbortSignal.any([signal, AbortSignal.timeout(options.timeout)])),
    };
  },
};

const blobKey = (digest: string): string => `buildkit-blob-1-${digest}`;

/** Every scope of a token has an index of its own. */
const indexKey = ({ scope }: GhaOptions, tokenScope: string): string =>
  `index-${scope}-1-${hexOf(sha256(tokenScope)).slice(0, 8)}`;

async function importScopes(
  options: GhaOptions,
  context: CacheImportContext,
  signal: AbortSignal,
): Promise<readonly CacheRecord[]> {
  const client = new GhaClient(options);
  const provider: ContentProvider = {
    async *read({ digest }, range, stop) {
      // Looked up anew: the address of an entry is good for minutes only.
      const entry = await client.find(blobKey(digest), stop);
      if (!entry) throw notFound('cache.not-found', `gha: layer ${digest} is gone`);
      yield* client.read(entry, range, stop);
    },
  };
  const found = await together(
    options.scopes,
    async ({ name }, either) => {
      const key = indexKey(options, name);
      const entry = await client.find(key, either);
      if (!entry) return [];
      return readAnnotated(await client.get(entry, either), provider, `gha: ${key}`, context);
    },
    signal,
  );
  return found.flat();
}

class GhaTarget implements ObjectTarget {
  readonly #client: GhaClient;
  readonly #options: GhaOptions;

  constructor(options: GhaOptions) {
    this.#client = new GhaClient(options);
    this.#options = options;
  }

  async hasLayer({ digest }: Descriptor, signal: AbortSignal): Promise<boolean> {
    return (await this.#client.find(blobKey(digest), signal)) !== undefined;
  }

  async writeLayer(layer: Descriptor, source: ContentProvider, signal: AbortSignal): Promise<void> {
    const data = source.read(layer, {}, signal);
    await this.#client.save(blobKey(layer.digest), data, signal).catch(fineIfThere);
  }

  /** Entries cannot be replaced: the index is written under the next number, and readers take the newest. */
  async writeConfig(data: Uint8Array, signal: AbortSignal): Promise<void> {
    const scope = this.#options.scopes.findLast(({ writable }) => writable)?.name ?? '';
    const prefix = `${indexKey(this.#options, scope)}#`;
    const last = await this.#client.find(prefix, signal);
    let number = last ? Number(last.key.slice(prefix.length)) : 0;
    if (!Number.isSafeInteger(number)) throw new BuildError('cache.store', `gha: corrupt index ${last?.key}`);
    for (;;) {
      number++;
      const bytes = providerOf(data).read(
        { mediaType: '', digest: sha256(data), size: data.length },
        {},
        signal,
      );
      const taken = await this.#client
        .save(`${prefix}${number}`, bytes, signal)
        .then(() => false, takenOrThrow);
      if (!taken) return;
    }
  }
}

/** Somebody else is exporting too: the later one takes the number after. */
function takenOrThrow(error: unknown): true {
  fineIfThere(error);
  return true;
}

function fineIfThere(error: unknown): void {
  if (BuildError.from(error).grpcCode !== 'AlreadyExists') throw error;
}
