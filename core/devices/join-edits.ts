import { lstatSync, type Stats } from 'node:fs';
import type { ContainerEdits, DeviceMount, DeviceNode, DeviceType } from '../contracts/devices.js';
import { BuildError, invalid } from '../contracts/errors.js';
import type { DescribedEdits } from './description.js';
import type { DescribedDevice } from './device-files.js';

/** What all of the devices need together; what a file says for all of its devices comes once, before the first. */
export function joinEdits(devices: readonly DescribedDevice[]): ContainerEdits {
  const files = new Set<string>();
  const parts = devices.flatMap(({ file, edits }) => {
    const known = files.has(file.path);
    files.add(file.path);
    return known ? [edits] : [file.edits, edits];
  });
  const intelRdt = parts.findLast((part) => part.intelRdt)?.intelRdt;
  return {
    env: parts.flatMap((part) => part.env ?? []),
    deviceNodes: parts.flatMap((part) => part.deviceNodes ?? []).map(deviceNode),
    mounts: parts.flatMap((part) => part.mounts ?? []).map(deviceMount),
    hooks: parts.flatMap((part) => part.hooks ?? []),
    // Everybody is in the group of root, as far as it counts here. CDI: pkg/cdi/container-edits.go.
    additionalGids: parts.flatMap((part) => part.additionalGids ?? []).filter((gid) => gid !== 0),
    ...(intelRdt ? { intelRdt } : {}),
  };
}

type DescribedNode = NonNullable<DescribedEdits['deviceNodes']>[number];
type DescribedMount = NonNullable<DescribedEdits['mounts']>[number];

const deviceMount = ({ hostPath, containerPath, options = [], type = '' }: DescribedMount): DeviceMount => ({
  hostPath,
  containerPath,
  options,
  type,
});

/** What is not said is looked up at the machine's own device. CDI: pkg/cdi/container-edits_unix.go. */
function deviceNode({
  hostPath,
  type,
  major = 0,
  minor = 0,
  permissions,
  ...rest
}: DescribedNode): DeviceNode {
  const source = hostPath || rest.path;
  const common = { ...rest, hostPath: source, permissions: permissions || 'rwm' };
  if (type && (major !== 0 || type === 'p')) return { ...common, type, major, minor };
  const found = deviceAt(source);
  if (type && type !== found.type) {
    throw invalid(
      'devices.node',
      `the device ${source} is of type ${found.type}, and not ${type} as its description says`,
    );
  }
  return { ...common, ...found };
}

function deviceAt(path: string): {
  readonly type: DeviceType;
  readonly major: number;
  readonly minor: number;
} {
  const stat = statOf(path);
  if (stat.isFIFO()) return { type: 'p', major: 0, minor: 0 };
  if (!stat.isBlockDevice() && !stat.isCharacterDevice()) {
    throw invalid('devices.node', `${path} is no device`);
  }
  return { type: stat.isBlockDevice() ? 'b' : 'c', ...numbers(BigInt(stat.rdev)) };
}

function statOf(path: string): Stats {
  try {
    return lstatSync(path);
  } catch (error) {
    throw BuildError.from(error).wrap(`the device ${path} of this machine`);
  }
}

/** glibc: bits/sysmacros.h; both numbers lie in two parts. */
const numbers = (device: bigint): { readonly major: number; readonly minor: number } => ({
  major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
  minor: Number((device & 0xffn) | ((device >> 12n) & ~0xffn)),
});
