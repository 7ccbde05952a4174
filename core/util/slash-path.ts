/**
 * Slash paths as Go's `path` package treats them: cleaned paths have no trailing slash, and joining cleans.
 * Node's `path.posix` keeps trailing slashes, which would change digests.
 */
import { posix } from 'node:path';

/** The shortest equal path; `.` for the empty one. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** Joins and cleans; empty parts are ignored, and nothing but empty parts is the empty path. */
export function joinPath(...parts: readonly string[]): string {
  const given = parts.filter((part) => part !== '');
  return given.length === 0 ? '' : cleanPath(given.join('/'));
}

export const isAbsolutePath = (path: string): boolean => path.startsWith('/');

/** The last element, without trailing slashes; `.` for the empty path and `/` for the root. */
export function baseName(path: string): string {
  if (path === '') return '.';
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}
