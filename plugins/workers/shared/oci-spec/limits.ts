import { readFileSync } from 'node:fs';
import { invalid, unsupported } from '../../../../core/contracts/errors.js';
import type { LinuxResources, ProcessSpec } from '../../../../core/contracts/executor.js';
import { didYouMean } from '../../../../core/util/nearest.js';
import type { OciResources, OciRlimit } from './types.js';

/** RLIM_INFINITY, which clients write as -1. */
const INFINITY = 0xffff_ffff_ffff_ffffn;

/** ulimit names, and the row of /proc/self/limits that each stands in. */
const rows: ReadonlyMap<string, string> = new Map([
  ['as', 'Max address space'],
  ['core', 'Max core file size'],
  ['cpu', 'Max cpu time'],
  ['data', 'Max data size'],
  ['fsize', 'Max file size'],
  ['locks', 'Max file locks'],
  ['memlock', 'Max locked memory'],
  ['msgqueue', 'Max msgqueue size'],
  ['nice', 'Max nice priority'],
  ['nofile', 'Max open files'],
  ['nproc', 'Max processes'],
  ['rss', 'Max resident set'],
  ['rtprio', 'Max realtime priority'],
  ['rttime', 'Max realtime timeout'],
  ['sigpending', 'Max pending signals'],
  ['stack', 'Max stack size'],
]);

export interface RlimitHost {
  /** The text of /proc/self/limits. */
  readonly limits: string;
  /** CAP_SYS_RESOURCE: hard limits may be raised. */
  readonly mayRaise: boolean;
}

export const rlimitHost = (capabilities: readonly string[]): RlimitHost => ({
  limits: readFileSync('/proc/self/limits', 'utf8'),
  mayRaise: capabilities.includes('CAP_SYS_RESOURCE'),
});

/** Checks what the runtime would only fail at with a number: names, soft over hard, and raising without the right to. */
export function rlimits(ulimits: ProcessSpec['ulimits'], host: () => RlimitHost): OciRlimit[] {
  if (ulimits.length === 0) return [];
  const { limits, mayRaise } = host();
  return ulimits.map(({ name, soft, hard }) => {
    const key = name.toLowerCase();
    const row = rows.get(key);
    if (row === undefined) {
      throw invalid('exec.ulimit', `unknown ulimit "${name}"${didYouMean(key, rows.keys())}`);
    }
    const limit = { type: `RLIMIT_${key.toUpperCase()}`, soft: unsigned(soft), hard: unsigned(hard) };
    if (limit.soft > limit.hard) {
      throw invalid('exec.ulimit', `ulimit ${name}: the soft limit ${soft} is over the hard limit ${hard}`);
    }
    const most = hardLimit(limits, row);
    if (!mayRaise && limit.hard > most) {
      throw invalid(
        'exec.ulimit',
        `ulimit ${name}=${soft}:${hard} is over this host's hard limit of ${most}`,
        {
          hint: 'Raise the limit of the daemon itself, or give it CAP_SYS_RESOURCE.',
        },
      );
    }
    return limit;
  });
}

const unsigned = (value: number): bigint => (value < 0 ? INFINITY : BigInt(value));

function hardLimit(limits: string, row: string): bigint {
  const line = limits.split('\n').find((text) => text.startsWith(row));
  const hard = line?.slice(row.length).trim().split(/\s+/)[1];
  return hard === undefined || hard === 'unlimited' ? INFINITY : BigInt(hard);
}

/** Without cgroups a limit would be a promise that nobody keeps. */
export function refuseLimits({
  resources: wanted,
  cgroupParent,
}: Pick<ProcessSpec, 'resources' | 'cgroupParent'>): void {
  const names = Object.keys(defined(wanted) ?? {});
  if (cgroupParent !== '') names.push('cgroup parent');
  if (names.length === 0) return;
  throw unsupported('exec.no-cgroups', `this worker has no cgroups to set ${names.join(', ')} with`, {
    hint: 'Start the rootless daemon where cgroup v2 is delegated to it: see docs/rootless.md.',
  });
}

/** Memory and CPU as the runtime takes them; what is not asked for is left to the parent cgroup. */
export function resources(wanted: LinuxResources, devices: OciResources['devices']): OciResources {
  const memory = defined({ limit: wanted.memory, swap: wanted.memorySwap });
  const cpu = defined({
    shares: wanted.cpuShares,
    period: wanted.cpuPeriod,
    quota: wanted.cpuQuota,
    cpus: wanted.cpusetCpus,
    mems: wanted.cpusetMems,
  });
  return { devices, ...(memory ? { memory } : {}), ...(cpu ? { cpu } : {}) };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the members that are undefined, zero or empty; undefined when nothing is left. */
function defined<T extends object>(members: T): Defined<T> | undefined {
  const left = Object.entries(members).filter(
    ([, value]) => value !== undefined && value !== 0 && value !== '',
  );
  return left.length > 0 ? (Object.fromEntries(left) as Defined<T>) : undefined;
}
