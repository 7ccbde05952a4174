import { allMeans, type HostMeans } from './host-means.js';
import type { OciMount } from './types.js';

const mount = (destination: string, type: string, source: string, ...options: string[]): OciMount => ({
  destination,
  type,
  source,
  options,
});

/**
 * A step's file systems besides its trees. containerd: pkg/oci/mounts.go without /run; BuildKit: executor/oci, and
 * util/rootless/specconv for what is left out.
 */
export function defaultMounts(writableSystem: boolean, means: HostMeans = allMeans): OciMount[] {
  const access = writableSystem ? 'rw' : 'ro';
  return [
    means.processSandbox
      ? mount('/proc', 'proc', 'proc', 'nosuid', 'noexec', 'nodev')
      : mount('/proc', 'bind', '/proc', 'rbind'),
    mount('/dev', 'tmpfs', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
    mount(
      '/dev/pts',
      'devpts',
      'devpts',
      'nosuid',
      'noexec',
      'newinstance',
      'ptmxmode=0666',
      'mode=0620',
      ...(means.terminalGroup ? ['gid=5'] : []),
    ),
    mount('/dev/shm', 'tmpfs', 'shm', 'nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'),
    mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
    ...(means.sysfs ? [mount('/sys', 'sysfs', 'sysfs', 'nosuid', 'noexec', 'nodev', access)] : []),
    ...(means.sysfs && means.cgroups
      ? [mount('/sys/fs/cgroup', 'cgroup', 'cgroup', access, 'nosuid', 'noexec', 'nodev')]
      : []),
  ];
}

/** Places below which a mount point is never part of the root tree. */
export const systemMountPoints: readonly string[] = ['/proc', '/dev', '/sys'];

/** A file of the worker's at a fixed place. */
export const fileMount = (destination: string, source: string): OciMount =>
  mount(destination, 'bind', source, 'nosuid', 'noexec', 'nodev', 'rbind', 'ro');

/** One mount per place; the last one wins, and takes the place in the order that the first one had. */
export const oncePerDestination = (mounts: readonly OciMount[]): OciMount[] => [
  ...new Map(mounts.map((entry) => [entry.destination, entry])).values(),
];
