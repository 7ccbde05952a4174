import { BuildError } from '../../contracts/errors.js';
import type { Mount } from '../../contracts/mount.js';

/**
 * The directories behind a snapshot's mounts, topmost first. Nothing is mounted: a bind mount is its source, an
 * overlay its upper and lower directories.
 */
export function layersOf(mounts: readonly Mount[]): readonly string[] {
  if (mounts.length === 0) return [];
  const [mount, ...more] = mounts;
  if (more.length > 0 || !mount || mount.type === 'tmpfs') {
    throw new BuildError('layer.mounts', 'a tree has to be one bind or overlay mount to be read as layers');
  }
  if (mount.type === 'bind') return [mount.source];
  const optionOf = (key: string): string | undefined =>
    mount.options.find((option) => option.startsWith(`${key}=`))?.slice(key.length + 1);
  const upper = optionOf('upperdir');
  const lower = optionOf('lowerdir');
  return [...(upper === undefined ? [] : [upper]), ...(lower === undefined ? [] : splitLower(lower))];
}

/** `\` keeps a colon from separating. */
const splitLower = (lower: string): readonly string[] =>
  (lower.match(/(?:\\.|[^:\\])+/g) ?? []).map((dir) => dir.replace(/\\(.)/g, '$1'));
