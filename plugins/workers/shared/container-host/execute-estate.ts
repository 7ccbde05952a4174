/** Sees to what a thread that died has left behind: its containers end, and what was made for them goes away. */
import { cgroupLayout, usableCgroups } from '../cgroup/cgroup-layout.js';
import { executeWill } from './last-will.js';
import { sweepRecord } from './owned-containers.js';
import type { HostEstate } from './protocol.js';

/** Its mounts went with its namespace. */
export async function executeEstate({ record, will }: HostEstate, rootless: boolean): Promise<void> {
  await executeWill(will);
  await sweepRecord(record, rootless ? usableCgroups(cgroupLayout()) : cgroupLayout());
}
