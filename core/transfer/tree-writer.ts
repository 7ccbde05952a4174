/**
 * Writes a tree as it is received, in the order of the list. Synchronous: for worker threads.
 *
 * 1. Directories are made at once, open to the process only; their metadata follows at the end, deepest first, because
 *    writing into them changes it.
 * 2. Hard links are made at the end, when the files they name are there.
 * 3. `fresh` destinations are empty. `merge` puts the tree over what is there: directories stay, everything else is
 *    replaced in one step. `mirror` also removes what the list does not have.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { FileStat } from '../contracts/refs.js';
import { isGoDir, isGoFile, isGoSymlink, statModeOf } from '../util/gofs/mode.js';
import { newId } from '../util/identity.js';
import { copyData } from '../util/linux/copy.js';
import { makeDevice, mknod } from '../util/linux/nodes.js';
import { isErrno } from '../util/linux/system-error.js';
import { removeTree } from '../util/tree/remove-tree.js';
import { type FileSink, FileSinks } from './file-sink.js';
import { finishFile, finishPath } from './metadata.js';

export type WriteMode = 'fresh' | 'merge' | 'mirror';

export interface TreeWriterOptions {
  readonly dest: string;
  readonly mode: WriteMode;
  /** Compute record digests. */
  readonly digests: boolean;
}

/** A file whose content arrives; `close` puts it in its place. */
export interface IncomingFile {
  write(data: Uint8Array): void;
  close(): string | undefined;
}

export class TreeWriter implements Disposable {
  readonly #options: TreeWriterOptions;
  readonly #sinks = new FileSinks();
  readonly #dirs: { readonly stat: FileStat; readonly made: boolean }[] = [];
  readonly #links: FileStat[] = [];
  /** What the list has, when everything else must go. */
  readonly #seen: Set<string> | undefined;

  constructor(options: TreeWriterOptions) {
    this.#options = options;
    this.#seen = options.mode === 'mirror' ? new Set() : undefined;
  }

  /** Anything but the content of a regular file. */
  add(stat: FileStat): void {
    this.#seen?.add(stat.path);
    if (isGoDir(stat.mode)) this.#dir(stat);
    else if (isGoSymlink(stat.mode)) {
      this.#place(stat, (target) => {
        fs.symlinkSync(stat.linkname, target);
        finishPath(target, stat, { made: true });
      });
    } else if (stat.linkname !== '') this.#links.push(stat);
    else {
      this.#place(stat, (target) => {
        mknod(target, statModeOf(stat.mode), makeDevice(stat.devmajor, stat.devminor));
        finishPath(target, stat, { made: true });
      });
    }
  }

  file(stat: FileStat): IncomingFile {
    this.#seen?.add(stat.path);
    const dest = this.#at(stat.path);
    if (this.#options.mode === 'fresh') return this.#sink(dest, stat);
    const temporary = temporaryName(dest);
    const sink = this.#sink(temporary, stat);
    return {
      write: (data) => sink.write(data),
      close: () => {
        const digest = sink.close();
        moveOver(temporary, dest);
        return digest;
      },
    };
  }

  /** A file that equals `from`, which nobody will ever change: the same inode. */
  relink(stat: FileStat, from: string): void {
    const dest = this.#at(stat.path);
    try {
      fs.linkSync(from, dest);
    } catch (error) {
      if (!isErrno(error, 'EMLINK', 'EXDEV', 'EPERM')) throw error;
      copyFile(from, dest, stat);
    }
  }

  finish(): void {
    for (const stat of this.#links) {
      this.#place(stat, (target) => fs.linkSync(this.#at(stat.linkname), target));
    }
    if (this.#seen) this.#removeOthers('', this.#seen);
    for (const { stat, made } of this.#dirs.reverse()) finishPath(this.#at(stat.path), stat, { made });
  }

  [Symbol.dispose](): void {
    this.#sinks[Symbol.dispose]();
  }

  #sink(target: string, stat: FileStat): FileSink {
    return this.#sinks.create(target, stat, this.#options.digests);
  }

  #at(relative: string): string {
    return `${this.#options.dest}/${relative}`;
  }

  #dir(stat: FileStat): void {
    const dest = this.#at(stat.path);
    const old = this.#old(dest);
    if (old?.isDirectory()) {
      this.#dirs.push({ stat, made: false });
      return;
    }
    if (old) fs.unlinkSync(dest);
    fs.mkdirSync(dest, 0o700);
    this.#dirs.push({ stat, made: true });
  }

  #place(stat: FileStat, make: (target: string) => void): void {
    const dest = this.#at(stat.path);
    if (!this.#old(dest)) {
      make(dest);
      return;
    }
    const temporary = temporaryName(dest);
    make(temporary);
    moveOver(temporary, dest);
  }

  #old(dest: string): fs.Stats | undefined {
    return this.#options.mode === 'fresh' ? undefined : fs.lstatSync(dest, { throwIfNoEntry: false });
  }

  #removeOthers(dir: string, seen: ReadonlySet<string>): void {
    for (const entry of fs.readdirSync(this.#at(dir), { withFileTypes: true })) {
      const relative = dir === '' ? entry.name : `${dir}/${entry.name}`;
      if (!seen.has(relative)) removeTree(this.#at(relative));
      else if (entry.isDirectory()) this.#removeOthers(relative, seen);
    }
  }
}

const temporaryName = (dest: string): string => path.join(path.dirname(dest), `.tmp.${newId()}`);

function moveOver(temporary: string, dest: string): void {
  if (fs.lstatSync(dest, { throwIfNoEntry: false })?.isDirectory()) removeTree(dest);
  fs.renameSync(temporary, dest);
}

function copyFile(from: string, dest: string, stat: FileStat): void {
  const source = fs.openSync(from, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const target = fs.openSync(dest, 'wx', 0o600);
    try {
      copyData(source, target, stat.size);
      finishFile(target, dest, stat);
    } finally {
      fs.closeSync(target);
    }
  } finally {
    fs.closeSync(source);
  }
}

/** A regular file with content of its own: what may be requested. Both sides must agree on it (wire facts E3.5). */
export const hasContent = (stat: FileStat): boolean => isGoFile(stat.mode) && stat.linkname === '';
