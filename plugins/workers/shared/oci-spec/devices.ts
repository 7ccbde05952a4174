import { readdirSync } from 'node:fs';
import type { OciDevice, OciResources } from './types.js';

/** Runtimes allow the usual ones (`null`, `zero`, `tty`, …) on top by themselves. */
export const noDevices: OciResources['devices'] = [{ allow: false, access: 'rwm' }];

export const allDevices: OciResources['devices'] = [
  { allow: true, type: 'c', access: 'rwm' },
  { allow: true, type: 'b', access: 'rwm' },
];

const device = (path: string, type: 'b' | 'c', major: number, minor: number): OciDevice => ({
  path,
  type,
  major,
  minor,
});

const LOOP_MAJOR = 7;
/** Free loop devices that an insecure step finds beyond those that exist. */
const SPARE_LOOPS = 7;

/** What `security=insecure` adds to /dev. BuildKit: util/entitlements/security/security_linux.go. */
export function insecureDevices(devices: readonly string[] = readdirSync('/dev')): OciDevice[] {
  const loops = devices.flatMap((name) => /^loop(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  const last = Math.max(-1, ...loops) + SPARE_LOOPS;
  return [
    device('/dev/kmsg', 'c', 1, 11),
    device('/dev/cuse', 'c', 10, 203),
    device('/dev/fuse', 'c', 10, 229),
    device('/dev/kvm', 'c', 10, 232),
    device('/dev/net/tun', 'c', 10, 200),
    device('/dev/loop-control', 'c', 10, 237),
    ...Array.from({ length: last + 1 }, (_, minor) => device(`/dev/loop${minor}`, 'b', LOOP_MAJOR, minor)),
  ];
}
