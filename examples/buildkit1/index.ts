/** As buildkit0, but repositories are cloned in steps of their own, at the same time as the tools are installed. */
import { image } from '../../client/llb/index.js';
import { writeBuildkit } from '../shared/buildkit.js';

const withGit = image('docker.io/library/alpine:latest').run({ shlex: 'apk add --no-cache git' }).root();

writeBuildkit((_, repo, version) =>
  withGit
    .run({
      shlex: `sh -c "git clone https://${repo}.git /out && cd /out && git checkout -q ${version}"`,
      mounts: [{ target: '/out' }],
      name: `clone ${repo}`,
    })
    .getMount('/out'),
);
