/**
 * Every snapshot is a whole folder; a child begins as a copy of its parent. Where a folder lies is its state, and every
 * change of state is one rename: after a crash a snapshot is active, committed or absent.
 *
 * Shows: keeping a contract. `snapshotterContract` of `buildkit-ts/testing` says whether it is kept.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BuildError } from 'buildkit-ts/contracts';

const exec = promisify(execFile);

export class FolderSnapshotter {
  name = 'folders';
  #dir;
  #last = Promise.resolve();

  constructor(dir) {
    this.#dir = dir;
  }

  prepare(key, parent) {
    return this.#inTurn(async () => {
      const there = await this.stat(key);
      if (there?.kind === 'active' && there.parent === parent) return;
      if (there) throw refusal('exists', 'AlreadyExists', `snapshot ${key} already exists as ${there.kind}`);
      if (parent !== undefined) await this.#require(parent, 'committed');
      const fresh = this.#path('new', key);
      await rm(fresh, { recursive: true, force: true });
      await mkdir(fresh, { recursive: true });
      if (parent === undefined) await mkdir(join(fresh, 'fs'), { mode: 0o755 });
      // Owners, devices, links and extended attributes: cp knows more than node does.
      else
        await exec('cp', [
          '-a',
          '--reflink=auto',
          join(this.#path('committed', parent), 'fs'),
          join(fresh, 'fs'),
        ]);
      await writeFile(join(fresh, 'parent'), parent ?? '');
      await this.#move(fresh, this.#path('active', key));
    });
  }

  async mounts(key) {
    const { kind } = await this.#require(key);
    const access = kind === 'active' ? 'rw' : 'ro';
    return [{ type: 'bind', source: join(this.#path(kind, key), 'fs'), options: ['rbind', access] }];
  }

  commit(name, key) {
    return this.#inTurn(async () => {
      const [done, from] = [await this.stat(name), await this.stat(key)];
      if (done?.kind === 'committed' && !from) return;
      if (done) throw refusal('exists', 'AlreadyExists', `snapshot ${name} already exists as ${done.kind}`);
      await this.#require(key, 'active');
      await this.#move(this.#path('active', key), this.#path('committed', name));
    });
  }

  remove(key) {
    return this.#inTurn(async () => {
      const there = await this.stat(key);
      if (!there) return;
      const child = (await this.list()).find(({ parent }) => parent === key);
      if (child)
        throw refusal('has-children', 'FailedPrecondition', `snapshot ${key} is the parent of ${child.key}`);
      const trash = this.#path('old', key);
      await rm(trash, { recursive: true, force: true });
      await this.#move(this.#path(there.kind, key), trash);
      await rm(trash, { recursive: true, force: true });
    });
  }

  async stat(key) {
    for (const kind of ['active', 'committed']) {
      const parent = await readFile(join(this.#path(kind, key), 'parent'), 'utf8').catch(() => undefined);
      if (parent !== undefined) return { key, kind, parent: parent || undefined };
    }
    return undefined;
  }

  async usage(key, signal) {
    const { kind } = await this.#require(key);
    const tree = join(this.#path(kind, key), 'fs');
    const du = async (...flags) => {
      const { stdout } = await exec('du', ['--summarize', ...flags, tree], { signal });
      return Number.parseInt(stdout, 10);
    };
    return { bytes: await du('--block-size=1'), inodes: await du('--inodes') };
  }

  async list() {
    const all = [];
    for (const kind of ['active', 'committed']) {
      const names = await readdir(join(this.#dir, kind)).catch(() => []);
      for (const name of names) all.push(await this.stat(decodeURIComponent(name)));
    }
    return all;
  }

  #path(kind, key) {
    return join(this.#dir, kind, encodeURIComponent(key));
  }

  async #move(from, to) {
    await mkdir(join(to, '..'), { recursive: true });
    await rename(from, to);
  }

  async #require(key, kind) {
    const there = await this.stat(key);
    if (!there) throw refusal('not-found', 'NotFound', `snapshot ${key} does not exist`);
    if (kind && there.kind !== kind) {
      throw refusal('wrong-kind', 'FailedPrecondition', `snapshot ${key} is ${there.kind}, expected ${kind}`);
    }
    return there;
  }

  /** One change at a time, in the order in which they were asked for. */
  #inTurn(work) {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

const refusal = (problem, grpcCode, message) => new BuildError(`snapshot.${problem}`, message, { grpcCode });
