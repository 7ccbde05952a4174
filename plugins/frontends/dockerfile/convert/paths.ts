import type { State } from '../../../../client/llb/index.js';
import { compareBytes } from '../../../../core/util/compare.js';
import { joinPath } from '../../../../core/util/gofs/path.js';

/** Paths as a source's followPaths; undefined when everything is needed, or nothing is known to be. */
export function pathList(paths: ReadonlySet<string>): readonly string[] | undefined {
  if (paths.size === 0 || paths.has('/')) return undefined;
  return [...paths].map((path) => joinPath('.', path.replace(/^\/+/, ''))).sort(compareBytes);
}

/** A path of an instruction as a path of the source tree. */
export const rooted = (path: string): string => joinPath('/', path);

/** A path as the image's operating system reads it, absolute; a slash at the end is kept, it says directory. */
export function destinationPath(state: State, path: string): string {
  const given = path === '' || path === '.' ? './' : path;
  return absolute(given.startsWith('/') ? '/' : state.settings.dir, given, true);
}

/** BuildKit: util/system/path.go NormalizePath. */
export function absolute(parent: string, path: string, keepSlash = false): string {
  const from = parent.startsWith('/') ? parent : joinPath('/', parent);
  const whole = path === '' ? from : path.startsWith('/') ? path : joinPath(from, path);
  if (!keepSlash) return whole;
  const asDir = whole.endsWith('/') ? whole : `${whole}/`;
  if (path.endsWith('/')) return asDir;
  return path.endsWith('/.') ? `${asDir}.` : whole;
}
