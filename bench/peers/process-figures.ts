/** What a daemon has used, from proc(5). */
import { readFile } from 'node:fs/promises';

export interface ProcessFigures {
  /** The most memory it had at once, in MiB. */
  readonly peakMemory: number;
  /** Processor seconds of its own and of the children it has waited for, so far. */
  readonly processor: number;
}

/** sysconf(_SC_CLK_TCK), which Linux has fixed for programs. */
const TICKS = 100;

/** Undefined when there is no such process, or no /proc. */
export async function processFigures(pid: number | undefined): Promise<ProcessFigures | undefined> {
  if (pid === undefined) return undefined;
  try {
    const [status, stat] = await Promise.all(
      ['status', 'stat'].map((file) => readFile(`/proc/${pid}/${file}`, 'latin1')),
    );
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status!)?.[1];
    // Behind the name, which may hold anything: utime, stime, cutime, cstime are the fields 14 to 17.
    const fields = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { peakMemory: Number(peak ?? 0) / 1024, processor: ticks / TICKS };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
