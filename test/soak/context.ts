/** A context folder that changes from build to build, as the folder of somebody who works in it does. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Digest } from '../../core/util/digest.js';
import type { Random } from '../simulation/random.js';
import { contentOf, type FileSet } from './file-set.js';

const FILES = 40;
/** Of these, in each change. */
const CHANGES = 6;

export class ChangingContext {
  readonly #dir: string;
  readonly #random: Random;
  readonly #files = new Map<string, Digest>();
  #writes = 0;

  constructor(dir: string, random: Random) {
    this.#dir = dir;
    this.#random = random;
  }

  /** Adds, rewrites and removes some files; answers all that are there then. */
  async change(): Promise<FileSet> {
    await mkdir(this.#dir, { recursive: true });
    for (let i = 0; i < CHANGES; i++) {
      const name = this.#random.int(FILES);
      const path = `d${name % 4}/${name % 3 === 0 ? 'deep/' : ''}f${name}`;
      if (this.#random.chance(0.2)) {
        await rm(join(this.#dir, path), { force: true });
        this.#files.delete(path);
      } else {
        const text = `${this.#dir} ${this.#writes++}\n`.repeat(1 + this.#random.int(200));
        await mkdir(dirname(join(this.#dir, path)), { recursive: true });
        await writeFile(join(this.#dir, path), text);
        this.#files.set(path, contentOf(text));
      }
    }
    return new Map(this.#files);
  }
}
