/**
 * The folder of all state. One engine at a time uses it: the lock is the kernel's, so it ends with its process,
 * however that ends.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BuildError } from '../contracts/index.js';
import { tryLock } from '../util/linux/lock.js';
import { makeFolders } from '../util/make-folders.js';

export class RootFolder implements Disposable {
  readonly path: string;
  readonly #lock: Disposable;

  private constructor(path: string, lock: Disposable) {
    this.path = path;
    this.#lock = lock;
  }

  /** The path may be relative to the working directory of this moment. */
  static async open(folder: string): Promise<RootFolder> {
    const path = resolve(folder);
    // Layers hold what images hold, secrets that builds copied into them among it: nobody else's business.
    await makeFolders(path, 0o700).catch((cause: NodeJS.ErrnoException) => {
      throw new BuildError('kernel.root', `cannot make the state folder ${path}: ${cause.message}`, {
        grpcCode: 'FailedPrecondition',
        cause,
        hint: 'choose another one with --root',
      });
    });
    const file = join(path, 'buildkitd.lock');
    const lock = tryLock(file);
    if (lock === undefined) throw await inUse(path, file);
    await writeFile(file, `${process.pid}\n`);
    return new RootFolder(path, lock);
  }

  join(...parts: readonly string[]): string {
    return join(this.path, ...parts);
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

async function inUse(path: string, file: string): Promise<BuildError> {
  const pid = (await readFile(file, 'utf8').catch(() => '')).trim();
  return new BuildError(
    'kernel.root-in-use',
    `${path} is in use by another engine${pid ? ` (pid ${pid})` : ''}`,
    {
      grpcCode: 'FailedPrecondition',
      hint: 'connect to that daemon with --addr, or choose another folder with --root',
    },
  );
}
