/** Builds buildkit with nothing but exec steps: each component is a full stage of its own. */
import { DEFAULT_PATH, image, type State } from '../../client/llb/index.js';
import { buildkitFlags, writeDefinition } from '../shared/output.js';

const flags = buildkitFlags();
const alpine = image('docker.io/library/alpine:latest');

const sh = (state: State, ...commands: readonly string[]): State =>
  commands.reduce((tree, shlex) => tree.run({ shlex }).root(), state);

const goBuildBase = (): State =>
  sh(
    image('docker.io/library/golang:1.25-alpine')
      .env('PATH', `/usr/local/go/bin:${DEFAULT_PATH}`)
      .env('GOPATH', '/go'),
    'apk add --no-cache g++ linux-headers',
    'apk add --no-cache git libseccomp-dev make',
  );

function clone(base: State, repo: string, version?: string): State {
  const dir = `/go/src/${repo}`;
  const cloned = sh(base, `git clone https://${repo}.git ${dir}`).dir(dir);
  return version === undefined ? cloned : sh(cloned, `git checkout -q ${version}`);
}

const runc = sh(
  clone(goBuildBase(), 'github.com/opencontainers/runc', flags.runc),
  'go build -o /usr/bin/runc ./',
);

const containerd = sh(
  clone(
    sh(goBuildBase(), 'apk add --no-cache btrfs-progs-dev'),
    'github.com/containerd/containerd',
    flags.containerd,
  ),
  'make bin/containerd',
);

const buildkit = clone(goBuildBase(), 'github.com/moby/buildkit');
const buildkitd = sh(buildkit, 'go build -o /bin/buildkitd ./cmd/buildkitd');
const buildctl = sh(buildkit, 'go build -o /bin/buildctl ./cmd/buildctl');

/** Copies with `cp`, in a container that sees both trees. */
const copyWithCp = (from: State, path: string, to: State): State =>
  alpine
    .run({
      shlex: `cp -a /src${path} /dest/bin/`,
      mounts: [
        { target: '/src', source: from },
        { target: '/dest', source: to },
      ],
    })
    .getMount('/dest');

const binaries: readonly (readonly [State, string])[] = [
  [buildctl, '/bin/buildctl'],
  [runc, '/usr/bin/runc'],
  [buildkitd, '/bin/buildkitd'],
  ...(flags.withContainerd
    ? ([[containerd, '/go/src/github.com/containerd/containerd/bin/containerd']] as const)
    : []),
];
const all = binaries.reduce((tree, [from, path]) => copyWithCp(from, path, tree), alpine);

writeDefinition(sh(all, 'ls -l /bin'));
