/**
 * Brings one commit into a shared repository: only that commit where the remote can do so. Afterwards the ref by
 * its own name stands for exactly the commit that the cache key names, whatever the remote has done since.
 * BuildKit: source/git/source.go tryRemoteFetch.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError, notFound } from '../../../core/contracts/errors.js';
import { redactCredentials } from '../../../core/util/redact.js';
import { isCommitHash } from './keys.js';
import { failingAs } from './remote-refs.js';
import type { Repo } from './shared-repos.js';

export interface Wanted {
  readonly url: string;
  /** Never empty. */
  readonly ref: string;
  /** The hash of the commit or annotated tag. */
  readonly checksum: string;
  /** With all tags and history around a commit: a git directory shows them. */
  readonly history: boolean;
}

export async function fetchCommit(repo: Repo, wanted: Wanted, signal: AbortSignal): Promise<void> {
  const { ref, checksum } = wanted;
  if (isCommitHash(ref)) return fetchHash(repo, wanted, signal);
  // A local ref of the same name, so that the next fetch tells the remote what is here.
  const local = ref.startsWith('refs/tags/') ? ref : `tags/${ref}`;
  const args = ['--depth=1', '--no-tags', 'origin', '--force', `${ref}:${local}`];
  await fetchArgs(repo, wanted, args, signal);
  if ((await repo.git.line(['rev-parse', ref], signal)) === checksum) return;
  await pin(repo, wanted, local.startsWith('refs/') ? local : `refs/${local}`, signal);
}

async function fetchHash(repo: Repo, wanted: Wanted, signal: AbortSignal): Promise<void> {
  const { git } = repo;
  const hash = wanted.ref;
  const there = (): Promise<boolean> => git.check(['cat-file', '-e', `${hash}^{commit}`], signal);
  if (await there()) return;
  // Not every server hands out a commit that is no branch's; then all of history has to come.
  const alone = ['fetch', '--depth=1', '--no-tags', 'origin', hash];
  if (!wanted.history && (await git.check(alone, signal))) return;
  await fetchArgs(repo, wanted, await historyOf(repo, hash), signal);
  if (await there()) return;
  throw notFound(
    'git.no-commit',
    `repository ${redactCredentials(wanted.url)} does not contain commit ${hash}`,
  );
}

/** The remote's ref moved since its key was computed: the build keeps the commit that it has been promised. */
async function pin(repo: Repo, wanted: Wanted, local: string, signal: AbortSignal): Promise<void> {
  const { git } = repo;
  const { ref, checksum } = wanted;
  if (!(await git.check(['cat-file', '-e', checksum], signal))) {
    await fetchArgs(repo, wanted, await historyOf(repo, checksum), signal);
    await git.run(['reflog', 'expire', '--all', '--expire=now'], signal);
    if (!(await git.check(['cat-file', '-e', checksum], signal))) {
      throw new BuildError(
        'git.moved',
        `fetched ref ${ref} does not match expected commit ${checksum} and commit can not be found in the repository`,
        { grpcCode: 'Aborted', hint: 'The ref was moved while the build ran: build again.' },
      );
    }
  }
  await git.run(['update-ref', local, checksum, '--no-deref'], signal);
}

async function historyOf({ dir }: Repo, hash: string): Promise<readonly string[]> {
  const shallow = await lstat(join(dir, 'shallow')).then(
    () => true,
    () => false,
  );
  return ['--tags', ...(shallow ? ['--unshallow'] : []), 'origin', hash];
}

const fetchArgs = (
  { git }: Repo,
  { url }: Wanted,
  args: readonly string[],
  signal: AbortSignal,
): Promise<unknown> =>
  failingAs(`failed to fetch remote ${redactCredentials(url)}`, () => git.run(['fetch', ...args], signal));
