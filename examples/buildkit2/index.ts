/** As buildkit1, but with git sources: the daemon fetches, and only when the ref has moved. */
import { git } from '../../client/llb/index.js';
import { writeBuildkit } from '../shared/buildkit.js';

writeBuildkit((_, repo, version) => git(repo, { ref: version, keepGitDir: true }));
