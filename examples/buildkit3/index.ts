/**
 * As buildkit2, but a version `local` stands for a directory of the client:
 * `… --runc=local | buildctl build --local runc-src=path/to/runc`.
 */
import { git, local } from '../../client/llb/index.js';
import { writeBuildkit } from '../shared/buildkit.js';

writeBuildkit((name, repo, version) =>
  version === 'local' ? local(`${name}-src`) : git(repo, { ref: version, keepGitDir: true }),
);
