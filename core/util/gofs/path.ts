/**
 * Slash paths as Go's `path` package treats them. Node's `posix.normalize` keeps a trailing slash and `./`-only
 * results differ, and both end up in cache keys, so they are spelled out here.
 */
import { posix } from 'node:path';

/** Shortest equivalent path: `.` for nothing, no trailing slash, `..` kept only where it leads out. */
export function cleanPath(path: string): string {
  if (path === '') return '.';
  if (isClean(path)) return path;
  const normal = posix.normalize(path);
  const rooted = normal.startsWith('//') ? normal.replace(/^\/+/, '/') : normal;
  return rooted.length > 1 && rooted.endsWith('/') ? rooted.slice(0, -1) : rooted;
}

/** Most paths are, and to see it costs less than to clean them. */
const isClean = (path: string): boolean =>
  !path.includes('/.') && !path.includes('//') && !path.startsWith('.') && !path.endsWith('/');

/** Joins the parts that are not empty and cleans the result; nothing gives the empty string. */
export function joinPath(...parts: readonly string[]): string {
  let joined = '';
  for (const part of parts) if (part !== '') joined = joined === '' ? part : `${joined}/${part}`;
  return joined === '' ? '' : cleanPath(joined);
}

/** `path` as an absolute path of a tree: `..` cannot lead above the root. */
export const rootedPath = (path: string): string => cleanPath(`/${path}`);

/** Everything but the last element, cleaned. */
export function dirOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return cleanPath(path.slice(0, slash + 1));
}

/** The last element without trailing slashes; `.` for nothing and `/` for slashes only. */
export function baseOf(path: string): string {
  if (path === '') return '.';
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}
