import type { GitMeta } from '../../../core/contracts/source.js';
import type { GitRequest } from './attributes.js';

/** BuildKit: util/gitutil/git_commit.go. */
export const isCommitHash = (text: string): boolean => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);

/**
 * The cache key (wire facts E5.7). A tag and the commit it names are the same tree; with the git directory they are
 * not.
 */
export function gitKey(request: GitRequest, { ref, checksum, commitChecksum }: GitMeta): string {
  const commit = commitChecksum !== undefined && !request.keepGitDir ? commitChecksum : checksum;
  const kept = request.keepGitDir ? `.git${ref === '' ? '' : `#${ref}`}` : '';
  const subdir = request.subdir === '' ? '' : `:${request.subdir}`;
  return `${commit}${kept}${subdir}${request.skipSubmodules ? '(skip-submodules)' : ''}`;
}
