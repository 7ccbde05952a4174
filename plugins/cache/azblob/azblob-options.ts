/** Attributes of the azblob cache; what is not given comes from the daemon's environment. */
import { join } from 'node:path';
import { invalid } from '../../../core/contracts/errors.js';
import type { CacheAttributes } from '../shared/attributes.js';

export interface AzblobOptions {
  /** Of the container, without a slash at its end. */
  readonly url: string;
  readonly account: string;
  readonly key: Uint8Array;
  readonly blobs: string;
  readonly manifests: string;
  /** Blobs that hold the config; the first one is read. */
  readonly names: readonly string[];
}

export function readAzblobOptions(reader: CacheAttributes, env: NodeJS.ProcessEnv): AzblobOptions {
  const text = reader.text('account_url') ?? env.BUILDKIT_AZURE_STORAGE_ACCOUNT_URL;
  if (!text) {
    throw invalid(
      'cache.attribute',
      'either $BUILDKIT_AZURE_STORAGE_ACCOUNT_URL or account_url attribute is required for azblob cache',
    );
  }
  if (!URL.canParse(text)) throw reader.bad('account_url', text, 'a URL');
  const account =
    reader.text('account_name') ??
    env.BUILDKIT_AZURE_STORAGE_ACCOUNT_NAME ??
    new URL(text).hostname.split('.')[0]!;
  const container = reader.text('container') ?? env.BUILDKIT_AZURE_STORAGE_CONTAINER ?? 'buildkit-cache';
  const prefix = reader.text('prefix') ?? env.BUILDKIT_AZURE_STORAGE_PREFIX ?? '';
  return {
    url: `${text.replace(/\/+$/, '')}/${container}`,
    account,
    key: keyOf(reader),
    blobs: join(prefix, reader.text('blobs_prefix') ?? 'blobs'),
    manifests: join(prefix, reader.text('manifests_prefix') ?? 'manifests'),
    names: (reader.text('name') ?? 'buildkit').split(';'),
  };
}

function keyOf(reader: CacheAttributes): Uint8Array {
  const key = reader.text('secret_access_key');
  if (key) return Buffer.from(key, 'base64');
  throw invalid('cache.attribute', 'azblob cache: there is no secret_access_key', {
    hint: "give a key of the storage account; identities of Azure's machines and tools are not asked",
  });
}
