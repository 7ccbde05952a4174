import { type Digest, sha256 } from '../../../core/util/digest.js';
import { type GoStruct, goJson } from '../../../core/util/go-json.js';
import type { HttpRequest } from './attributes.js';

/** Cache key (wire facts E5.7, golden values G2). BuildKit: source/http/source.go formatCacheKey. */
export function httpKey(request: HttpRequest, { filename, digest, lastModified }: Facts): Digest {
  const headers = request.headers.map(({ name, value }): GoStruct => ({ Name: name, Value: value }));
  return sha256(
    goJson({
      Filename: filename,
      Perm: request.perm,
      UID: request.uid,
      GID: request.gid,
      Checksum: digest,
      LastModTime: lastModified === undefined ? undefined : new Date(lastModified).toUTCString(),
      AuthHeaderSecret: request.authHeaderSecret || undefined,
      Header: headers.length === 0 ? undefined : headers,
    }),
  );
}

export interface Facts {
  readonly filename: string;
  readonly digest: Digest;
  /** Milliseconds since the epoch, whole seconds. */
  readonly lastModified: number | undefined;
}

/** Under which downloads are found again: whatever changes the bytes or the file they become. */
export function downloadIndex({ checksum: _, ...request }: HttpRequest): string {
  return `http:${sha256(JSON.stringify(request))}`;
}
