/**
 * One bare repository per remote, which all builds fetch into: what one of them brought, the next need not ask for.
 * It is kept as a mutable ref, so it is counted and pruned like everything else. One user at a time, because git's
 * index and configuration are shared by checkouts.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '../../../core/contracts/errors.js';
import { silentProgress } from '../../../core/contracts/progress.js';
import type { MutableRef } from '../../../core/contracts/refs.js';
import type { Worker } from '../../../core/contracts/worker.js';
import { sha256 } from '../../../core/util/digest.js';
import { KeyLock } from '../../../core/util/key-lock.js';
import { redactCredentials } from '../../../core/util/redact.js';
import type { GitCli } from './git-cli.js';

export interface Repo {
  readonly dir: string;
  readonly git: GitCli;
}

export interface RepoRequest {
  readonly worker: Worker;
  readonly url: string;
  readonly format: 'sha1' | 'sha256';
  readonly git: GitCli;
}

export class SharedRepos {
  readonly #turns = new KeyLock<void>();

  /** `fill` brings what is needed; when what is there is in its way, it is called again on an empty repository. */
  async use<T>(
    request: RepoRequest,
    fill: (repo: Repo) => Promise<void>,
    work: (repo: Repo) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { worker, url, format } = request;
    const index = `git-remote:${format}:${sha256(url)}`;
    const attempt = async (): Promise<{ readonly answer: T } | undefined> => {
      await using ref = await openRef(request, index, signal);
      const repo = await openRepo(request, ref, signal);
      try {
        await fill(repo);
      } catch (error) {
        if (!ref.old || !isInTheWay(error)) throw error;
        return undefined;
      }
      return { answer: await work(repo) };
    };
    return this.#turns.run(
      `${worker.profile.id} ${index}`,
      async () => {
        const first = await attempt();
        if (first) return first.answer;
        await (await worker.refs.findMutable(index))?.[Symbol.asyncDispose]();
        return (await attempt())!.answer;
      },
      signal,
    );
  }
}

interface OpenRef extends AsyncDisposable {
  readonly ref: MutableRef;
  /** An earlier build left it. */
  readonly old: boolean;
}

async function openRef({ worker, url }: RepoRequest, index: string, signal: AbortSignal): Promise<OpenRef> {
  const found = await worker.refs.findMutable(index);
  const description = `shared git repo for ${redactCredentials(url)}`;
  const ref = found ?? (await worker.refs.create(undefined, { description, index }, silentProgress, signal));
  return { ref, old: found !== undefined, [Symbol.asyncDispose]: () => ref[Symbol.asyncDispose]() };
}

async function openRepo(
  { url, format, git }: RepoRequest,
  { ref, old }: OpenRef,
  signal: AbortSignal,
): Promise<Repo> {
  const { layers } = await ref.view(silentProgress, signal);
  const dir = layers[0]!;
  const repo = { dir, git: git.with({ gitDir: dir }) };
  if (old) {
    await Promise.all(locks.map((name) => rm(join(dir, name), { force: true })));
  } else {
    const init = ['init', '--bare', '--initial-branch=master', `--object-format=${format}`];
    await repo.git.run(init, signal);
    await repo.git.run(['remote', 'add', 'origin', url], signal);
  }
  await ref.retain();
  return repo;
}

/** What a git that was killed leaves behind. Nobody else is at work here. */
const locks = ['shallow.lock', 'index.lock', 'config.lock', 'packed-refs.lock', 'HEAD.lock'];

/**
 * A tag that moved, a branch whose name is now a folder of others, a lock below `refs` that nobody holds, an object
 * that a crash cut off.
 */
const isInTheWay = (error: unknown): boolean =>
  error instanceof BuildError &&
  error.code === 'git.failed' &&
  /would clobber existing tag|unable to update local ref|\.lock': File exists|(?:object file|loose object) .* (?:is empty|is corrupt)|not a git repository/.test(
    error.message,
  );
