/** Limits of the processes of a build. BuildKit: frontend/dockerui/attr.go parseLinuxResources. */
import { invalid } from '../../../core/contracts/errors.js';
import type { LinuxResources } from '../../../core/contracts/executor.js';

type Opts = Readonly<Record<string, string>>;

/** Undefined when the client sets none. Memory is in bytes, quota and period are in microseconds. */
export function parseResources(opts: Opts): LinuxResources | undefined {
  const resources: LinuxResources = {
    ...one('memory', amount(opts, 'memory')),
    ...one('memorySwap', amount(opts, 'memswap', { unlimited: true })),
    ...one('cpuShares', amount(opts, 'cpushares')),
    ...one('cpuPeriod', amount(opts, 'cpuperiod')),
    ...one('cpuQuota', amount(opts, 'cpuquota')),
    ...one('cpusetCpus', cpuSet(opts, 'cpusetcpus')),
    ...one('cpusetMems', cpuSet(opts, 'cpusetmems')),
  };
  return Object.keys(resources).length > 0 ? resources : undefined;
}

const one = <Key extends keyof LinuxResources>(
  key: Key,
  value: LinuxResources[Key] | undefined,
): Pick<LinuxResources, Key> | undefined =>
  value === undefined ? undefined : ({ [key]: value } as Pick<LinuxResources, Key>);

function amount(opts: Opts, key: string, { unlimited = false } = {}): number | undefined {
  const text = opts[key];
  if (!text) return undefined;
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 || (unlimited && value === -1)) return value;
  throw badResource(key, `${text}: must be ${unlimited ? '-1 (unlimited) or ' : 'a number '}> 0`);
}

/** The largest index that a CPU or a memory node may have. */
const MAX_INDEX = 8192;

/** Indexes and ranges of them: `0-3,5`. */
function cpuSet(opts: Opts, key: string): string | undefined {
  const text = opts[key];
  if (!text) return undefined;
  for (const part of text.split(',').map((each) => each.trim())) {
    const [, low = '', high = low] = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(part) ?? [];
    const isGood = low !== '' && Number(low) <= Number(high) && Number(high) <= MAX_INDEX;
    if (part !== '' && !isGood) throw badResource(key, `${text}: "${part}" is no index or range of them`);
  }
  return text;
}

const badResource = (key: string, problem: string): Error =>
  invalid('dockerfile.option', `invalid ${key} value: ${problem}`);
