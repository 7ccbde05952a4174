/**
 * The containers that a daemon has begun and not cleaned up, in a file that outlives it. After a crash it says what to
 * sweep, and that it was ours: two daemons with different roots never touch each other's.
 *
 * One line each: `+ <id> <cgroup path>`, `- <id>`. Appending a line is far cheaper than making a file, and what has
 * been written is there after `kill -9`; after a reboot there is nothing to sweep.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { CgroupLayout } from '../cgroup/cgroup-layout.js';
import { ContainerCgroup } from '../cgroup/container-cgroup.js';
import { killDescendants, killProcess, runtimesOf } from './process-tree.js';

const PREFIX = 'containers-';
/** The file begins anew when it is longer than this and nothing is running. */
const ROTATE_BYTES = 1 << 16;

export class OwnedContainers {
  readonly file: string;
  readonly #fd: number;
  readonly #running = new Set<string>();
  #bytes = 0;

  /** `name` tells apart those of one daemon. */
  constructor(stateDir: string, name: string) {
    this.file = path.join(stateDir, PREFIX + name);
    this.#fd = fs.openSync(this.file, 'a', 0o600);
  }

  add(id: string, cgroupsPath: string): void {
    this.#running.add(id);
    this.#append(`+ ${id} ${cgroupsPath}\n`);
  }

  remove(id: string): void {
    this.#running.delete(id);
    if (this.#running.size > 0 || this.#bytes < ROTATE_BYTES) {
      this.#append(`- ${id}\n`);
      return;
    }
    fs.ftruncateSync(this.#fd, 0);
    this.#bytes = 0;
  }

  /** Takes the file away, unless it still says something. */
  close(): void {
    fs.closeSync(this.#fd);
    if (this.#running.size === 0) fs.unlinkSync(this.file);
  }

  #append(line: string): void {
    this.#bytes += fs.writeSync(this.#fd, line);
  }
}

/** Kills and removes what daemons that are no more have left in `stateDir`. Answers how many containers those were. */
export async function sweepContainers(stateDir: string, cgroups: CgroupLayout): Promise<number> {
  let count = 0;
  for (const name of fs.readdirSync(stateDir).filter((entry) => entry.startsWith(PREFIX))) {
    count += await sweepRecord(path.join(stateDir, name), cgroups);
  }
  return count;
}

/** The same for one record, whose owner is no more. */
export async function sweepRecord(file: string, cgroups: CgroupLayout): Promise<number> {
  const left = leftIn(fs.readFileSync(file, 'utf8'));
  for (const cgroupsPath of left) {
    if (cgroups.mode === 'none') killByName(path.basename(cgroupsPath));
    else await killAndRemove(new ContainerCgroup(cgroups, cgroupsPath));
  }
  fs.unlinkSync(file);
  return left.length;
}

/** The cgroups of containers that were begun and not ended. A line that a crash cut short names none. */
export function leftIn(text: string): string[] {
  const left = new Map<string, string>();
  for (const line of text.split('\n').slice(0, -1)) {
    const [sign, id = '', ...rest] = line.split(' ');
    const cgroupsPath = rest.join(' ');
    if (sign === '-') left.delete(id);
    else if (id !== '' && cgroupsPath.startsWith('/') && cgroupsPath.endsWith(`/${id}`))
      left.set(id, cgroupsPath);
  }
  return [...left.values()];
}

const SWEEP_ATTEMPTS = 100;

/** Without a cgroup, a container is what its runtime has started. The runtime goes too: nobody reads what it says. */
function killByName(id: string): void {
  for (const pid of runtimesOf(id)) {
    killDescendants(pid);
    killProcess(pid);
  }
}

async function killAndRemove(cgroup: ContainerCgroup): Promise<void> {
  for (let attempt = 0; attempt < SWEEP_ATTEMPTS && cgroup.kill(); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await cgroup.removeWhenEmpty();
}
