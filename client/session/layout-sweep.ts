/**
 * Removes from the folder of an OCI layout the blobs that no manifest of its `index.json` leads to. BuildKit:
 * client/solve.go (`reset=true` of local caches).
 *
 * Nothing is removed unless everything that is named could be read: what is not known might be needed.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { invalid } from '../../core/contracts/errors.js';
import { collect } from '../../core/util/chunks.js';
import { type Digest, isDigest } from '../../core/util/digest.js';
import { isErrno } from '../../core/util/linux/system-error.js';
import { LayoutIndex } from './layout-index.js';
import { LayoutStore } from './layout-store.js';

/** Bytes of the largest document that is read. */
const MAX_DOCUMENT = 64 << 20;

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest');
const named = z.looseObject({ digest });
const manifest = z.looseObject({
  config: named.nullish(),
  layers: z.array(named).nullish(),
  manifests: z.array(named).nullish(),
});

/** Answers what was removed. */
export async function sweepLayout(dir: string, signal: AbortSignal): Promise<readonly Digest[]> {
  const store = new LayoutStore(dir);
  const kept = new Set<Digest>();
  const open = (await new LayoutIndex(dir).all()).map((entry) => entry.digest);
  for (let root = open.pop(); root !== undefined; root = open.pop()) {
    if (kept.has(root)) continue;
    kept.add(root);
    const { config, layers, manifests } = await readManifest(store, root, dir, signal);
    for (const child of [...(config ? [config] : []), ...(layers ?? [])]) kept.add(child.digest);
    // An index of a cache lists layers beside each other; only what is not one of them is a manifest.
    for (const child of manifests ?? []) {
      if (isDocument(child.mediaType)) open.push(child.digest);
      else kept.add(child.digest);
    }
  }
  const removed = (await blobsOf(dir)).filter((blob) => !kept.has(blob));
  for (const blob of removed) await rm(join(dir, 'blobs', blob.replace(':', '/')), { force: true });
  return removed;
}

const isDocument = (mediaType: unknown): boolean =>
  typeof mediaType === 'string' && /manifest|image\.index/.test(mediaType);

async function readManifest(
  store: LayoutStore,
  blob: Digest,
  dir: string,
  signal: AbortSignal,
): Promise<z.infer<typeof manifest>> {
  const data = await collect(store.read({ digest: blob }, {}, signal), MAX_DOCUMENT);
  if (!data) throw invalid('client.layout', `${blob} in ${dir} is too large for a manifest`);
  try {
    return manifest.parse(JSON.parse(data.toString()));
  } catch (cause) {
    throw invalid('client.layout', `${blob} in ${dir} is no manifest`, { cause });
  }
}

/** Files with other names, of writers that are at work, are none of them. */
async function blobsOf(dir: string): Promise<Digest[]> {
  const blobs: string[] = [];
  for (const algorithm of await list(join(dir, 'blobs'))) {
    for (const hex of await list(join(dir, 'blobs', algorithm))) blobs.push(`${algorithm}:${hex}`);
  }
  return blobs.filter(isDigest);
}

async function list(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
