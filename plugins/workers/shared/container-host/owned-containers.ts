/**
 * The containers this daemon has begun and not cleaned up: one file each on disk, holding the cgroup path. After a
 * crash they say what to sweep, and that it was ours: two daemons with different roots never touch each other's.
 */
import fs from 'node:fs';
import type { CgroupLayout } from '../cgroup/cgroup-layout.js';
import { ContainerCgroup } from '../cgroup/container-cgroup.js';

export class OwnedContainers {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  add(id: string, cgroupsPath: string): void {
    fs.writeFileSync(`${this.#dir}/${id}`, cgroupsPath);
  }

  remove(id: string): void {
    fs.rmSync(`${this.#dir}/${id}`, { force: true });
  }

  /** Kills and removes what a daemon that is no more has left. Answers how many containers those were. */
  async sweep(cgroups: CgroupLayout): Promise<number> {
    const ids = fs.readdirSync(this.#dir);
    for (const id of ids) {
      const path = fs.readFileSync(`${this.#dir}/${id}`, 'utf8');
      // An empty file: the crash came before the container was begun.
      if (path.startsWith('/') && path.endsWith(`/${id}`))
        await killAndRemove(new ContainerCgroup(cgroups, path));
      this.remove(id);
    }
    return ids.length;
  }
}

const SWEEP_ATTEMPTS = 100;

async function killAndRemove(cgroup: ContainerCgroup): Promise<void> {
  for (let attempt = 0; attempt < SWEEP_ATTEMPTS && cgroup.kill(); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  cgroup.remove();
}
