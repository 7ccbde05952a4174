/**
 * One container's cgroup, seen from outside the runtime: to kill what is in it, to learn of OOM kills, and to remove
 * what is left. The runtime makes it and sets its limits.
 */
import fs from 'node:fs';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import type { CgroupLayout } from './cgroup-layout.js';

const REMOVE_ATTEMPTS = 100;
const REMOVE_INTERVAL_MS = 20;

export class ContainerCgroup {
  readonly #layout: CgroupLayout;
  readonly #path: string;

  /** `path` as in the spec: absolute, from the mount points. */
  constructor(layout: CgroupLayout, path: string) {
    this.#layout = layout;
    this.#path = path;
  }

  /**
   * Sends SIGKILL to every process, all at once: by cgroup.kill where there is one, else frozen, so that none can
   * fork while the others die. Answers false when nobody was there.
   */
  kill(): boolean {
    const alive = [...new Set(this.#directories().flatMap(processesIn))];
    if (alive.length === 0) return false;
    if (!this.#killGroup()) this.#killFrozen(alive);
    return true;
  }

  /** Whether the kernel killed a process in it for want of memory. To be asked before it is removed. */
  oomKilled(): boolean {
    const memory = this.#v1('memory');
    const file = memory ? `${memory}/memory.oom_control` : this.#v2() && `${this.#v2()}/memory.events`;
    const count = file && /^oom_kill (\d+)$/m.exec(readText(file))?.[1];
    return count !== undefined && count !== '' && Number(count) > 0;
  }

  /**
   * Removes its directories in every hierarchy, with those that the container made inside. Answers false when some
   * are busy: a process is still on its way out.
   */
  remove(): boolean {
    return this.#directories().map(removeTree).every(Boolean);
  }

  /** Removes it as soon as the last process is gone. Answers false when that takes too long. */
  async removeWhenEmpty(): Promise<boolean> {
    for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
      if (this.remove()) return true;
      await new Promise((resolve) => setTimeout(resolve, REMOVE_INTERVAL_MS));
    }
    return false;
  }

  /** Linux 5.14, v2. In a hybrid layout the runtime may have left the v2 tree alone: then nobody is in there. */
  #killGroup(): boolean {
    const dir = this.#v2();
    if (dir === undefined || processesIn(dir).length === 0) return false;
    try {
      fs.writeFileSync(`${dir}/cgroup.kill`, '1');
      return true;
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP', 'EACCES', 'EPERM')) return false;
      throw error;
    }
  }

  #killFrozen(alive: readonly number[]): void {
    const freezer = this.#v1('freezer');
    if (freezer) setFreezer(freezer, 'FROZEN');
    alive.forEach(killProcess);
    if (freezer) setFreezer(freezer, 'THAWED');
  }

  #v1(controller: string): string | undefined {
    const hierarchy = this.#layout.v1.find(({ controllers }) => controllers.includes(controller));
    return hierarchy && hierarchy.mountPoint + this.#path;
  }

  #v2(): string | undefined {
    return this.#layout.v2 === undefined ? undefined : this.#layout.v2 + this.#path;
  }

  #directories(): string[] {
    const v2 = this.#v2();
    return [...this.#layout.v1.map(({ mountPoint }) => mountPoint + this.#path), ...(v2 ? [v2] : [])];
  }
}

/** Of the group and of all below. */
function processesIn(dir: string): number[] {
  // 0 stands for a process of a pid namespace that this one does not see.
  const own = readText(`${dir}/cgroup.procs`)
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0);
  return [...own, ...childrenOf(dir).flatMap(processesIn)];
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

function setFreezer(dir: string, state: 'FROZEN' | 'THAWED'): void {
  try {
    fs.writeFileSync(`${dir}/freezer.state`, state);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error;
  }
}

/** Answers false when it is busy. */
function removeTree(dir: string): boolean {
  for (const child of childrenOf(dir)) removeTree(child);
  try {
    fs.rmdirSync(dir);
    return true;
  } catch (error) {
    if (isErrno(error, 'EBUSY')) return false;
    if (isErrno(error, 'ENOENT', 'ENODEV')) return true;
    throw error;
  }
}

function childrenOf(dir: string): string[] {
  try {
    const entries = fs.readdirSync(dir, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => `${dir}/${entry.name}`);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'ENOTDIR')) return [];
    throw error;
  }
}

/** Empty when the group is gone. */
function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return '';
    throw error;
  }
}
