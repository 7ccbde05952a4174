import { createHash } from 'node:crypto';
import type { ReceivedEntry } from '../../contracts/refs.js';
import { decodeList } from '../../transfer/received-list.js';
import { type Digest, sha256 } from '../../util/digest.js';
import { isGoFile } from '../../util/gofs/mode.js';
import { tarsumHeader } from '../../util/tarsum.js';
import { KnownDigests } from './known-digests.js';

/**
 * Record digests of a tree that arrived with its stats, from its list. Files count only if their digest was computed on
 * the way; a hard link has its target's. The root is never sent, so its header is nothing at all (E4.5).
 */
export function seedDigests(list: Uint8Array): KnownDigests {
  const known = KnownDigests.empty();
  const entries = decodeList(list);
  if (!entries) return known;
  known.set('record', '/', sha256(''));
  const links: ReceivedEntry[] = [];
  for (const entry of entries) {
    if (isGoFile(entry.mode) && entry.linkname !== '') links.push(entry);
    else {
      const digest = recordOf(entry);
      if (digest) known.set('record', `/${entry.path}`, digest);
    }
  }
  for (const { path, linkname } of links) {
    const digest = known.get('record', `/${linkname}`);
    if (digest) known.set('record', `/${path}`, digest);
  }
  return known;
}

function recordOf(entry: ReceivedEntry): Digest | undefined {
  if (entry.recordSha256) return `sha256:${entry.recordSha256}`;
  if (isGoFile(entry.mode) && entry.size > 0) return undefined;
  return `sha256:${createHash('sha256').update(tarsumHeader(entry)).digest('hex')}`;
}
