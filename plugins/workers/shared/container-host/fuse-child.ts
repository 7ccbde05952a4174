import type { FuseProgram } from '../mounts/fuse-mount.js';
import type { Child } from './host-program.js';
import { killProcess } from './process-tree.js';

export class FuseChild implements FuseProgram {
  readonly #child: Child;

  constructor(child: Child) {
    this.#child = child;
  }

  hasExited(): boolean {
    return this.#child.hasExited();
  }

  ended(): Promise<number> {
    return this.#child.endsWith([]);
  }

  /** Its id is its own until it has been reaped. */
  kill(): void {
    if (!this.#child.hasExited()) killProcess(this.#child.pid);
  }
}
