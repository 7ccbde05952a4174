import fs from 'node:fs';
import { unmount } from '../../../core/util/linux/mount.js';

/** Unmounts everything at and below a folder, last mounted first. Answers how many mounts those were. */
export function unmountBelow(dir: string): number {
  const points = mountPoints(fs.readFileSync('/proc/self/mountinfo', 'utf8'));
  const below = points.filter((point) => point === dir || point.startsWith(`${dir}/`));
  for (const point of below.reverse()) unmount(point, { detach: true });
  return below.length;
}

/** Fifth field of each line; blanks and the like are written in octal. */
export const mountPoints = (mountinfo: string): string[] =>
  mountinfo
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line
        .split(' ')[4]!
        .replaceAll(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    );
