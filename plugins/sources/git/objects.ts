import { BuildError } from '../../../core/contracts/errors.js';
import type { GitMeta } from '../../../core/contracts/source.js';
import type { GitCli } from './git-cli.js';

/** The raw commit, and the tag that named it. BuildKit: source/git/source.go addGitObjectsToMetadata. */
export async function readObjects(git: GitCli, meta: GitMeta, signal: AbortSignal): Promise<GitMeta> {
  const { ref, checksum } = meta;
  const type = await git.line(['cat-file', '-t', checksum], signal);
  if (type === 'commit') {
    const commitObject = await git.run(['cat-file', 'commit', checksum], signal);
    return { ref, checksum, commitChecksum: undefined, commitObject };
  }
  if (type !== 'tag') {
    throw new BuildError('git.object', `expected commit or tag object, got ${type}`, {
      grpcCode: 'FailedPrecondition',
    });
  }
  const commitChecksum = await git.line(['rev-parse', `${checksum}^{commit}`], signal);
  return {
    ref,
    checksum,
    commitChecksum,
    tagObject: await git.run(['cat-file', 'tag', checksum], signal),
    commitObject: await git.run(['cat-file', 'commit', commitChecksum], signal),
  };
}
