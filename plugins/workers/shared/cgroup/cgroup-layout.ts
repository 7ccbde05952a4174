/** Which cgroup file systems this machine has, and where. */
import { accessSync, constants, readFileSync } from 'node:fs';

export interface CgroupLayout {
  /** `hybrid`: v1 controllers, and a v2 tree beside them for the rest. */
  readonly mode: 'v1' | 'hybrid' | 'v2' | 'none';
  readonly v1: readonly CgroupHierarchy[];
  /** Mount point of the v2 tree. */
  readonly v2: string | undefined;
}

export interface CgroupHierarchy {
  readonly mountPoint: string;
  /** `memory`, `freezer`, `name=systemd`. */
  readonly controllers: readonly string[];
}

export const cgroupLayout = (): CgroupLayout => cgroupLayoutOf(readFileSync('/proc/self/mountinfo', 'utf8'));

const noCgroups: CgroupLayout = { mode: 'none', v1: [], v2: undefined };

/**
 * The layout if this process may make groups in it, else none. In a user namespace that takes cgroup v2, delegated:
 * the group that the process sees as the root is its own.
 */
export function usableCgroups(layout: CgroupLayout): CgroupLayout {
  const roots = [...layout.v1.map(({ mountPoint }) => mountPoint), ...(layout.v2 ? [layout.v2] : [])];
  return roots.every(isWritable) ? layout : noCgroups;
}

function isWritable(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** From the text of /proc/self/mountinfo. */
export function cgroupLayoutOf(mountinfo: string): CgroupLayout {
  const v1: CgroupHierarchy[] = [];
  let v2: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const mountPoint = unescaped(before.split(' ')[4] ?? '');
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup2') v2 ??= mountPoint;
    if (type === 'cgroup') {
      const controllers = options.split(',').filter((option) => option !== 'rw' && option !== 'ro');
      v1.push({ mountPoint, controllers });
    }
  }
  const mode = v1.length > 0 ? (v2 === undefined ? 'v1' : 'hybrid') : v2 === undefined ? 'none' : 'v2';
  return { mode, v1, v2 };
}

/** mountinfo writes blanks and backslashes as octal. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
