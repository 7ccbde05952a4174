/** Sees to what a thread that died has left behind: its containers end, and what was made for them goes away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { reap } from '../../../../core/util/linux/spawn.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import { cgroupLayout, usableCgroups } from '../cgroup/cgroup-layout.js';
import { executeWill } from './last-will.js';
import { sweepRecord } from './owned-containers.js';
import { killProcess } from './process-tree.js';
import type { HostEstate } from './protocol.js';

/** Its mounts went with its namespace. */
export async function executeEstate(
  { record, will, children }: HostEstate,
  rootless: boolean,
): Promise<void> {
  await executeWill(will);
  await sweepRecord(record, rootless ? usableCgroups(cgroupLayout()) : cgroupLayout());
  for (const pid of children) if (pid !== 0) await reapKilled(pid);
}

const REAP_MS = 20;

/** A runtime whose container is gone has nothing to wait for. */
async function reapKilled(pid: number): Promise<void> {
  for (; !isReaped(pid); await sleep(REAP_MS)) killProcess(pid);
}

/** Now, or by the thread itself with its last breath. */
function isReaped(pid: number): boolean {
  try {
    return reap(pid) !== undefined;
  } catch (error) {
    if (isErrno(error, 'ECHILD')) return true;
    throw error;
  }
}
