/** Caches in registries, beside images or as ones. BuildKit: cache/remotecache/registry. */
import type {
  CacheBackend,
  CacheContext,
  CacheExport,
  CacheImport,
  CacheImportContext,
  CacheRecord,
} from '../../../core/contracts/cache.js';
import type { ContentProvider, Descriptor } from '../../../core/contracts/content.js';
import { BuildError, invalid } from '../../../core/contracts/errors.js';
import { type Registries, type Repository, sourceLabel } from '../../../core/contracts/registry.js';
import {
  formatImageReference,
  type ImageReference,
  parseImageReference,
  withDefaultTag,
} from '../../../core/util/image-reference.js';
import { isIndexType, isManifestType } from '../../../core/util/media-types.js';
import { type Attributes, CacheAttributes, readCommonExport } from '../shared/attributes.js';
import { collectBlob, providerOf } from '../shared/blob.js';
import { readManifestKind } from '../shared/manifest.js';
import { type CacheOrigin, readCache } from '../shared/read-cache.js';
import { type CacheTarget, writeCache } from '../shared/write-cache.js';

export class RegistryCache implements CacheBackend {
  readonly #registries: Registries;

  constructor(registries: Registries) {
    this.#registries = registries;
  }

  exporter(attrs: Attributes): CacheExport {
    const reader = new CacheAttributes('registry', attrs);
    const reference = referenceOf(reader);
    const common = readCommonExport(reader);
    const kind = readManifestKind(reader);
    const insecure = reader.boolean('registry.insecure') ?? false;
    reader.finish();
    return {
      ...common,
      name: 'exporting cache to registry',
      export: async (records, context, signal) => {
        const repository = this.#repository(reference, 'push', insecure, context);
        try {
          return await writeCache(records, kind, new RepositoryTarget(repository), context, signal);
        } catch (error) {
          throw BuildError.from(error).wrap(`failed to push ${formatImageReference(reference)}`);
        }
      },
    };
  }

  importer(attrs: Attributes): CacheImport {
    const reader = new CacheAttributes('registry', attrs);
    const reference = referenceOf(reader);
    const insecure = reader.boolean('registry.insecure') ?? false;
    reader.finish();
    return {
      name: attrs.ref!,
      import: (context, signal) =>
        importFrom(this.#repository(reference, 'pull', insecure, context), context, signal),
    };
  }

  #repository(
    reference: ImageReference,
    actions: 'pull' | 'push',
    insecure: boolean,
    { sessions, progress }: CacheContext,
  ): Repository {
    const log = (line: string): void => progress.log('stderr', Buffer.from(line));
    return this.#registries.repository(reference, { actions, sessions, insecure, log });
  }
}

function referenceOf(attrs: CacheAttributes): ImageReference {
  const ref = attrs.required('ref');
  try {
    return withDefaultTag(parseImageReference(ref));
  } catch (cause) {
    throw invalid('cache.attribute', `registry cache: failed to parse ${ref}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function importFrom(
  repository: Repository,
  context: CacheImportContext,
  signal: AbortSignal,
): Promise<readonly CacheRecord[]> {
  const { reference, blobs } = repository;
  const { domain, path } = reference;
  const origin: CacheOrigin = {
    name: formatImageReference(reference),
    provider: blobs,
    context,
    // A push to the same registry can then mount the layer instead of sending it.
    annotations: { [sourceLabel(domain)]: path },
    document: (descriptor, either) =>
      isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType)
        ? repository.manifest(descriptor, either)
        : collectBlob(blobs, descriptor, either),
  };
  return readCache(origin, await repository.resolve(signal), signal);
}

class RepositoryTarget implements CacheTarget {
  readonly #repository: Repository;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  async writeLayer(layer: Descriptor, source: ContentProvider, signal: AbortSignal): Promise<void> {
    const known = layer.annotations?.[sourceLabel(this.#repository.reference.domain)];
    const mountFrom = known?.split(',') ?? [];
    await this.#repository.pushBlob(layer, source, { mountFrom }, signal);
  }

  async writeConfig(config: Descriptor, data: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#repository.pushBlob(config, providerOf(data), {}, signal);
  }

  async writeManifest(manifest: Descriptor, data: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#repository.pushManifest(manifest, data, this.#repository.reference.tag, signal);
  }
}
