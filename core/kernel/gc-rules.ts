/**
 * The rules of garbage collection as configured, in bytes of this disk. BuildKit: cmd/buildkitd/config/gcpolicy.go,
 * getGCPolicy in cmd/buildkitd/main.go.
 */
import type { GcRule } from '../contracts/index.js';
import { bytesOf, type DiskSpace, isNoSpace, parseDiskSpace } from '../util/disk-space.js';
import { durationMs, type GcConfig, type GcPolicyConfig } from './config/gc-schema.js';

const HOUR_MS = 3_600_000;

interface Limits {
  readonly reserved: DiskSpace | undefined;
  readonly max: DiskSpace | undefined;
  readonly minFree: DiskSpace | undefined;
}

/** None when garbage collection is off. `diskBytes`: size of the disk that holds the cache. */
export function gcRules(config: GcConfig, diskBytes: number): readonly GcRule[] {
  if (!config.gc) return [];
  if (config.gcpolicy && config.gcpolicy.length > 0)
    return config.gcpolicy.map((each) => customRule(each, diskBytes));
  return defaultRules(limitsOf(config, diskBytes), diskBytes);
}

function defaultRules({ reserved, max, minFree }: Limits, diskBytes: number): readonly GcRule[] {
  const capped = {
    reservedSpace: bytesOf(reserved, diskBytes),
    maxUsedSpace: bytesOf(max, diskBytes),
    minFreeSpace: bytesOf(minFree, diskBytes),
  };
  const reproducible = 'type==source.local,type==exec.cachemount,type==source.git.checkout';
  return [
    // What is easiest to have again goes first: after two days, beyond 512 MB.
    rule({ filter: [reproducible], keepDurationMs: 48 * HOUR_MS, maxUsedSpace: 512e6 }),
    rule({ keepDurationMs: 60 * 24 * HOUR_MS, ...capped }),
    rule(capped),
    rule({ all: true, ...capped }),
  ];
}

function limitsOf(config: GcConfig, diskBytes: number): Limits {
  const given = {
    reserved: space(config.reservedSpace),
    max: space(config.maxUsedSpace),
    minFree: space(config.minFreeSpace),
  };
  if (isSet(given)) return given;
  const older = space(config.gckeepstorage);
  if (!isNoSpace(older)) return { ...given, reserved: older };
  return {
    reserved: atMost({ percent: 10 }, 10e9, diskBytes),
    max: atMost({ percent: 80 }, 100e9, diskBytes),
    minFree: { percent: 20 },
  };
}

function customRule(config: GcPolicyConfig, diskBytes: number): GcRule {
  const reserved = space(config.reservedSpace);
  return rule({
    filter: config.filters ?? [],
    all: config.all ?? false,
    keepDurationMs: durationMs(config.keepDuration ?? 0) ?? 0,
    reservedSpace: bytesOf(isNoSpace(reserved) ? space(config.keepBytes) : reserved, diskBytes),
    maxUsedSpace: bytesOf(space(config.maxUsedSpace), diskBytes),
    minFreeSpace: bytesOf(space(config.minFreeSpace), diskBytes),
  });
}

const rule = (parts: Partial<GcRule>): GcRule => ({
  filter: [],
  all: false,
  keepDurationMs: 0,
  reservedSpace: 0,
  maxUsedSpace: 0,
  minFreeSpace: 0,
  ...parts,
});

const space = (value: string | number | undefined): DiskSpace | undefined =>
  value === undefined ? undefined : parseDiskSpace(value);

const isSet = ({ reserved, max, minFree }: Limits): boolean =>
  ![reserved, max, minFree].every((each) => isNoSpace(each));

const atMost = (wanted: DiskSpace, bytes: number, diskBytes: number): DiskSpace =>
  bytesOf(wanted, diskBytes) > bytes ? { bytes } : wanted;
