/** Folders that builds are made from, below one temporary folder. */
import { randomBytes } from 'node:crypto';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { times } from './workload.js';

const MANY = 10_000;
const FILES_A_FOLDER = 200;

export class Contexts {
  readonly #dir: string;
  readonly #shared = new Map<string, Promise<string>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Writes a context; the files of one with the same name stay. */
  async write(
    name: string,
    dockerfile: string,
    files: Readonly<Record<string, Uint8Array>> = {},
  ): Promise<string> {
    const dir = join(this.#dir, name);
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'Dockerfile'), dockerfile);
    for (const [path, data] of Object.entries(files)) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), data);
    }
    return dir;
  }

  /** Made by the first who asks, for all. */
  shared(name: string, make: () => Promise<string>): Promise<string> {
    const made = this.#shared.get(name) ?? make();
    this.#shared.set(name, made);
    return made;
  }

  async remove(context: string): Promise<void> {
    await rm(context, { recursive: true, force: true });
  }

  /** 10,000 files of `size` random bytes, and a Dockerfile that copies them. */
  many(name: string, size: number): Promise<string> {
    const files = times(MANY, (at) => [manyPath(at), randomBytes(size)] as const);
    return this.write(name, 'FROM scratch\nCOPY . /src\n', Object.fromEntries(files));
  }

  /** Copies of real trees, and a Dockerfile that copies them and whatever else comes to lie beside them. */
  async real(name: string, trees: readonly string[]): Promise<string> {
    const dir = await this.write(name, 'FROM scratch\nCOPY . /\n');
    for (const tree of trees) await cp(tree, join(dir, basename(tree)), { recursive: true });
    return dir;
  }
}

/** Where a context of 10,000 files has its nth. */
export const manyPath = (at: number): string => `d${Math.floor(at / FILES_A_FOLDER)}/f${at}`;
