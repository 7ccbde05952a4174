/** Processes found by descent, for where containers have no cgroup that holds them together. */
import fs from 'node:fs';
import { isErrno } from '../../../../core/util/linux/system-error.js';

/**
 * Kills what descends from `root`, a container runtime, but not the runtime itself: it still has to clean up. The
 * container's first process is the init of its process namespace, so the rest dies with it; without such a namespace,
 * whatever has been given away to another parent escapes. Answers false when nobody was there.
 */
export function killDescendants(root: number): boolean {
  const found = descendantsOf(root);
  for (const pid of found) killProcess(pid);
  return found.length > 0;
}

/** Runtimes that were called for the container `id`, whichever daemon did. Looks at every process of the machine. */
export const runtimesOf = (id: string): number[] =>
  fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && argumentsOf(pid).includes(id));

export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/** Parents first. */
function descendantsOf(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    numbers(readText(`/proc/${pid}/task/${thread}/children`)),
  );
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** A child belongs to the thread that made it. */
function threadsOf(pid: number): string[] {
  try {
    return fs.readdirSync(`/proc/${pid}/task`);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return [];
    throw error;
  }
}

const numbers = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
const argumentsOf = (pid: number): string[] => readText(`/proc/${pid}/cmdline`).split('\0');

/** Empty when the process is gone. */
function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES')) return '';
    throw error;
  }
}
