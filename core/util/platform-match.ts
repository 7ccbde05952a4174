/**
 * Which of an index's platforms serve a wanted one, and which serves it best. Facts: containerd/platforms
 * compare.go (`Only`): a newer variant runs older ones, amd64 runs 386, arm64 runs 32-bit arm.
 */
import { formatPlatform, normalizePlatform, type Platform } from './platform.js';

/** The best candidate, or undefined. A candidate without a platform serves any, but only when none else does. */
export function choosePlatform<T extends { readonly platform?: Platform | undefined }>(
  wanted: Platform,
  candidates: readonly T[],
): T | undefined {
  for (const acceptable of platformsServing(wanted)) {
    const name = matchName(acceptable);
    const found = candidates.find(
      ({ platform }) => platform && matchName(normalizePlatform(platform)) === name,
    );
    if (found) return found;
  }
  return candidates.find(({ platform }) => platform === undefined);
}

/** Every platform that can stand in for `wanted`, best first; `wanted` itself leads. */
export function platformsServing(wanted: Platform): readonly Platform[] {
  const platform = normalizePlatform(wanted);
  switch (platform.architecture) {
    case 'amd64':
      return [...variants(platform, versionOf(platform.variant, 1), 1), withArch(platform, '386', undefined)];
    case 'arm':
      return variants(platform, versionOf(platform.variant, 7), 5);
    case 'arm64':
      return [...arm64Variants(platform), ...variants(withArch(platform, 'arm', 'v8'), 8, 5)];
    default:
      return [platform];
  }
}

function variants(platform: Platform, from: number, to: number): Platform[] {
  if (Number.isNaN(from) || from < to) return [platform];
  return Array.from({ length: from - to + 1 }, (_, i) =>
    withArch(platform, platform.architecture, `v${from - i}`),
  );
}

/** v9.x also runs v8.0 to v8.(x+5): Arm's own correspondence, which ends at v8.9. */
function arm64Variants(platform: Platform): Platform[] {
  const match = /^v([89])(?:\.(\d))?$/.exec(platform.variant ?? 'v8');
  if (!match) return [platform];
  const minor = Number(match[2] ?? 0);
  const down = (major: number, from: number): Platform[] =>
    Array.from({ length: from + 1 }, (_, i) =>
      withArch(platform, 'arm64', from - i === 0 ? `v${major}` : `v${major}.${from - i}`),
    );
  return match[1] === '9' ? [...down(9, minor), ...down(8, Math.min(minor + 5, 9))] : down(8, minor);
}

const withArch = (platform: Platform, architecture: string, variant: string | undefined): Platform => {
  const { variant: _, ...rest } = platform;
  return normalizePlatform({ ...rest, architecture, ...(variant ? { variant } : {}) });
};

const versionOf = (variant: string | undefined, fallback: number): number =>
  variant === undefined ? fallback : Number(variant.replace(/^v/, ''));

const matchName = ({ os, architecture, variant }: Platform): string =>
  formatPlatform({ os, architecture, ...(variant ? { variant } : {}) });
