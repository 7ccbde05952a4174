/** What a ref of a remote stands for, asked with `git ls-remote`. BuildKit: source/git/source.go resolveMetadata. */
import { BuildError, notFound } from '../../../core/contracts/errors.js';
import type { GitMeta } from '../../../core/contracts/source.js';
import { redactCredentials } from '../../../core/util/redact.js';
import type { GitRequest } from './attributes.js';
import type { GitCli } from './git-cli.js';
import { isCommitHash } from './keys.js';

/** Without asking anybody, where the ref is a whole hash. */
export function metaOfHash({ ref, checksum }: GitRequest): GitMeta | undefined {
  if (!isCommitHash(ref)) return undefined;
  if (!ref.startsWith(checksum)) throw checksumMismatch(checksum, ref);
  return { ref, checksum: ref, commitChecksum: undefined };
}

export async function askRemote(git: GitCli, request: GitRequest, signal: AbortSignal): Promise<GitMeta> {
  const { url } = request.remote;
  const ref = request.ref || (await defaultBranch(git, url, signal));
  const listed = await failingAs(`failed to fetch remote ${redactCredentials(url)}`, () =>
    git.run(['ls-remote', url, ref, `${ref}^{}`], signal),
  );
  return chooseRef(listed.toString(), ref);
}

/** Branches go before tags, as `git checkout` has it. */
export function chooseRef(listed: string, ref: string): GitMeta {
  const hashes = new Map(listed.split('\n').map((line) => line.split('\t').reverse() as [string, string]));
  const full = `refs/${ref.replace(/^refs\//, '')}`;
  const branch = `refs/heads/${ref.replace(/^refs\/heads\//, '')}`;
  const tag = `refs/tags/${ref.replace(/^refs\/tags\//, '')}`;
  // A tag that is named in full is found as a tag, so that what it points to is seen.
  const candidates = [...(full === tag ? [] : [full]), branch, tag];
  const found = candidates.find((name) => hashes.has(name));
  if (found === undefined) {
    throw notFound('git.no-ref', `repository does not contain ref ${ref}, output: ${JSON.stringify(listed)}`);
  }
  const checksum = hashes.get(found)!;
  if (!isCommitHash(checksum))
    throw new BuildError('git.hash', `invalid commit sha ${JSON.stringify(checksum)}`);
  const commitChecksum = found === tag ? hashes.get(`${tag}^{}`) : undefined;
  return { ref: found, checksum, commitChecksum };
}

/** The commit may be named as well as the annotated tag that points to it. */
export function verifyChecksum(
  { checksum: expected }: GitRequest,
  { checksum, commitChecksum }: GitMeta,
): void {
  if (matches(expected, checksum, commitChecksum)) return;
  throw checksumMismatch(expected, [checksum, commitChecksum].filter(Boolean).join(' or '));
}

export const matches = (expected: string, ...hashes: readonly (string | undefined)[]): boolean =>
  hashes.some((hash) => hash?.startsWith(expected));

const checksumMismatch = (expected: string, got: string): BuildError =>
  new BuildError('git.checksum-mismatch', `expected checksum to match ${expected}, got ${got}`, {
    grpcCode: 'FailedPrecondition',
  });

async function defaultBranch(git: GitCli, url: string, signal: AbortSignal): Promise<string> {
  const shown = redactCredentials(url);
  const listed = await failingAs(`error fetching default branch for repository ${shown}`, () =>
    git.run(['ls-remote', '--symref', url, 'HEAD'], signal),
  );
  const branch = /refs\/heads\/(\S+)/.exec(listed.toString())?.[1];
  if (branch !== undefined) return branch;
  throw notFound('git.no-branch', `could not find default branch for repository: ${shown}`);
}

/** Says what was tried. An abort stays one. */
export async function failingAs<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BuildError && error.code === 'git.failed') throw error.wrap(what);
    throw error;
  }
}
