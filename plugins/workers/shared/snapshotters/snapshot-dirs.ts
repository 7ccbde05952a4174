import { chmodSync, mkdirSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Threads } from '../../../../core/contracts/threads.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';

const removeTask = new URL('./snapshot-remove.task.js', import.meta.url);
const never = new AbortController().signal;

/**
 * The numbered directories of a driver, `<dir>/s/<n>`. Names are short, because a mount has one page for all of
 * its options. A directory is renamed before it is removed, so that a crash never leaves half a layer under its name.
 */
export class SnapshotDirs {
  readonly root: string;
  readonly #threads: Threads;
  #next: number;
  /** Renamed, and not given to a thread yet. */
  #trash: string[] = [];
  #emptying: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;

  private constructor(root: string, threads: Threads, next: number) {
    this.root = root;
    this.#threads = threads;
    this.#next = next;
  }

  /** Removes what is not in `named`; answers also which of `named` are missing. */
  static async open(
    dir: string,
    named: ReadonlySet<string>,
    threads: Threads,
  ): Promise<{ readonly dirs: SnapshotDirs; readonly missing: ReadonlySet<string> }> {
    const root = path.join(dir, 's');
    await fs.mkdir(root, { recursive: true, mode: 0o700 });
    const found = new Set(await fs.readdir(root));
    const highest = [...found, ...named].reduce((most, name) => Math.max(most, parseInt(name, 36) || 0), 0);
    const dirs = new SnapshotDirs(root, threads, highest + 1);
    await dirs.remove([...found].filter((name) => !named.has(name)));
    return { dirs, missing: new Set([...named].filter((name) => !found.has(name))) };
  }

  /** A name that was never used before. */
  name(): string {
    return (this.#next++).toString(36);
  }

  /** The tree of a snapshot. Asked for each layer of each mount, which is why nothing is normalised. */
  tree(name: string): string {
    return `${this.root}/${name}/fs`;
  }

  /** Beside the tree, on the same file system. */
  beside(name: string, what: string): string {
    return `${this.root}/${name}/${what}`;
  }

  /**
   * Makes the tree of a snapshot, and others beside it. Synchronous: a few calls of some microseconds, which as many
   * turns through Node's own pool would multiply.
   */
  make(name: string, ...beside: readonly string[]): void {
    mkdirSync(path.join(this.root, name), { mode: 0o700 });
    const tree = this.tree(name);
    mkdirSync(tree);
    // Whatever the umask: it is the root of what containers and images see.
    chmodSync(tree, 0o755);
    for (const what of beside) mkdirSync(this.beside(name, what));
  }

  async remove(names: readonly string[]): Promise<void> {
    const gone: string[] = [];
    for (const name of names) {
      const trash = path.join(this.root, name.endsWith('~') ? name : `${name}~`);
      try {
        if (!name.endsWith('~')) await fs.rename(path.join(this.root, name), trash);
        gone.push(trash);
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw error;
      }
    }
    if (gone.length > 0) await this.#empty(gone);
  }

  /** What comes while a thread is at it goes in one piece after that: pruning removes hundreds at once. */
  #empty(paths: readonly string[]): Promise<void> {
    this.#trash.push(...paths);
    if (this.#queued) return this.#queued;
    const next = this.#emptying.then(async () => {
      this.#queued = undefined;
      await this.#threads.run(removeTask, { paths: this.#trash.splice(0) }, { signal: never });
    });
    this.#queued = next;
    this.#emptying = next.catch(() => {});
    return next;
  }
}
