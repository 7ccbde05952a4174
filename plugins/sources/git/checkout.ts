/** A commit of a shared repository as a tree of its own. BuildKit: source/git/source.go checkout. */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { silentProgress } from '../../../core/contracts/progress.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import type { Threads } from '../../../core/contracts/threads.js';
import type { Worker } from '../../../core/contracts/worker.js';
import { newId } from '../../../core/util/identity.js';
import { redactCredentials } from '../../../core/util/redact.js';
import type { GitRequest } from './attributes.js';
import type { GitCli } from './git-cli.js';
import type { GitSubdirArgs } from './git-subdir.task.js';
import { isCommitHash } from './keys.js';
import { failingAs } from './remote-refs.js';
import type { Repo } from './shared-repos.js';

export interface CheckoutRequest {
  readonly request: GitRequest;
  /** Never empty. */
  readonly ref: string;
  readonly format: 'sha1' | 'sha256';
  readonly worker: Worker;
  readonly threads: Threads;
  /** The checkout is found under it again. */
  readonly index: string;
}

export async function checkout(
  repo: Repo,
  wanted: CheckoutRequest,
  signal: AbortSignal,
): Promise<ImmutableRef> {
  const { request, ref, worker, index } = wanted;
  const shown = redactCredentials(request.remote.url);
  const options = {
    description: `git snapshot for ${shown}#${ref}`,
    type: 'source.git.checkout',
    index,
  } as const;
  await using tree = await worker.refs.create(undefined, options, silentProgress, signal);
  const { layers } = await tree.view(silentProgress, signal);
  await fill(layers[0]!, repo, wanted, signal);
  return await tree.commit();
}

async function fill(dir: string, repo: Repo, wanted: CheckoutRequest, signal: AbortSignal): Promise<void> {
  const { request, ref, threads } = wanted;
  const shown = redactCredentials(request.remote.url);
  const subdir = posix.normalize(request.subdir || '.');
  const whole = subdir === '.' || subdir === '/';
  if (request.keepGitDir && whole) {
    const git = await cloneInto(dir, repo, wanted, signal);
    await submodules(git, request, signal);
    return;
  }
  const workTree = whole ? dir : join(dir, `checkout-${newId()}`);
  if (!whole) await mkdir(workTree);
  const git = repo.git.with({ workTree });
  // Submodules that only another commit has would still be in it.
  await rm(join(repo.dir, 'index'), { force: true });
  await failingAs(`failed to checkout remote ${shown}`, () => git.run(['checkout', ref, '--', '.'], signal));
  await submodules(git, request, signal);
  if (!request.skipSubmodules) await forgetSubmodules(git, workTree, signal);
  const args: GitSubdirArgs = { workTree, subdir, dest: dir };
  if (!whole) await threads.run(subdirTask, args, { signal });
}

const subdirTask = new URL('./git-subdir.task.js', import.meta.url);

/** A repository in the tree, as if somebody had cloned one commit of the remote. */
async function cloneInto(
  dir: string,
  repo: Repo,
  { request, ref, format }: CheckoutRequest,
  signal: AbortSignal,
): Promise<GitCli> {
  const shown = redactCredentials(request.remote.url);
  const gitDir = join(dir, '.git');
  const git = repo.git.with({ gitDir, workTree: dir });
  await git.run(['init', '--initial-branch=master', `--object-format=${format}`], signal);
  // As a URL: git then sends objects, instead of linking or copying the files of another repository.
  await git.run(['remote', 'add', 'origin', `file://${repo.dir}`], signal);
  const refspec = await localRefspec(repo, ref, signal);
  await git.run(['fetch', '-u', '--depth=1', 'origin', refspec], signal);
  await failingAs(`failed to checkout remote ${shown}`, () => git.run(['checkout', 'FETCH_HEAD'], signal));
  await git.run(['remote', 'set-url', 'origin', shown], signal);
  await git.run(['reflog', 'expire', '--all', '--expire=now'], signal);
  await rm(join(gitDir, 'FETCH_HEAD'), { force: true });
  return git;
}

/** Annotated tags stay tags, branches become branches; a bare commit is given a name to be fetched by. */
async function localRefspec({ git }: Repo, ref: string, signal: AbortSignal): Promise<string> {
  const type = await git.line(['cat-file', '-t', ref], signal);
  if (type === 'tag') return `${ref}:${ref.startsWith('refs/tags/') ? ref : `refs/tags/${ref}`}`;
  if (!isCommitHash(ref)) return `${ref}:${ref}`;
  const name = `refs/buildkit/${newId()}`;
  await git.run(['update-ref', name, ref], signal);
  return name;
}

async function submodules(git: GitCli, request: GitRequest, signal: AbortSignal): Promise<void> {
  if (request.skipSubmodules) return;
  await failingAs(`failed to update submodules for ${redactCredentials(request.remote.url)}`, () =>
    git.run(['submodule', 'update', '--init', '--recursive', '--depth=1'], signal),
  );
}

/**
 * Submodules of a tree without a repository would point into the shared one, by a path that only this daemon knows and
 * that makes equal trees differ.
 */
async function forgetSubmodules(git: GitCli, workTree: string, signal: AbortSignal): Promise<void> {
  if (!existsSync(join(workTree, '.gitmodules'))) return;
  const print = 'printf "%s/%s\\0" "$toplevel" "$sm_path"';
  const listed = await git
    .with({ quiet: true })
    .run(['submodule', 'foreach', '--quiet', '--recursive', print], signal);
  const paths = listed.toString().split('\0').slice(0, -1);
  await Promise.all(paths.map((path) => rm(join(path, '.git'), { force: true })));
}
