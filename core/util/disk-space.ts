/** Amounts of disk as buildkitd.toml has them: bytes, `512MB`, or `10%` of the disk. BuildKit: cmd/buildkitd/config/gcpolicy.go. */

export type DiskSpace = { readonly bytes: number } | { readonly percent: number };

/** Units are powers of 1024, with or without an `i`. Facts: github.com/docker/go-units RAMInBytes. */
const exponents = ['', 'k', 'm', 'g', 't', 'p'];
/** What a percentage comes to where the size of the disk is not known. */
const UNKNOWN_DISK = 2e9;

/** undefined when it is no amount. */
export function parseDiskSpace(value: string | number): DiskSpace | undefined {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && value >= 0 ? { bytes: value } : undefined;
  const percent = /^(\d+)%$/.exec(value);
  if (percent) return { percent: Number(percent[1]) };
  const size = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(value);
  if (!size) return undefined;
  const bytes = Math.trunc(Number(size[1]) * 1024 ** exponents.indexOf(size[2]!.toLowerCase()));
  return Number.isSafeInteger(bytes) ? { bytes } : undefined;
}

export const isNoSpace = (space: DiskSpace | undefined): boolean =>
  space === undefined || ('bytes' in space ? space.bytes : space.percent) === 0;

/** Percentages are rounded up: the next whole number of GiB, counted as GB. */
export function bytesOf(space: DiskSpace | undefined, diskBytes: number): number {
  if (space === undefined) return 0;
  if ('bytes' in space) return space.bytes;
  if (space.percent === 0) return 0;
  if (diskBytes === 0) return UNKNOWN_DISK;
  const share = Math.trunc((diskBytes * space.percent) / 100);
  return (Math.trunc(share / 2 ** 30) + 1) * 1e9;
}
