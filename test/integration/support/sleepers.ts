/** Processes of steps, found from outside by how long they sleep: whatever their worker, and without cgroups. */
import { readdirSync, readFileSync } from 'node:fs';

let unique = 0;

/** So many seconds and a fraction that nobody else on this machine sleeps for. */
export const uniqueSleep = (seconds: number): string => `${seconds}.${process.pid}${++unique}`;

/** The ids of the processes that are `sleep <seconds>`. */
export const sleepers = (seconds: string): readonly string[] =>
  readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid) === `sleep\0${seconds}\0`);

/** Empty for a process that has ended meanwhile. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}
