/** What the buildkit examples share: a Go tool chain, builds in it, and a tree of all binaries. */
import { copy, DEFAULT_PATH, image, type State, scratch } from '../../client/llb/index.js';
import { buildkitFlags, writeDefinition } from './output.js';

/** Answers the sources of `repo` at `version`; `name` is short for it. */
export type Fetch = (name: string, repo: string, version: string) => State;

const toolChain = image('docker.io/library/golang:1.25-alpine')
  .env('PATH', `/usr/local/go/bin:${DEFAULT_PATH}`)
  .env('GOPATH', '/go')
  .run({ shlex: 'apk add --no-cache g++ linux-headers libseccomp-dev make' })
  .root();

/** Runs a build in the sources, which it may only read, and answers what it put into /out. */
function goBuild(base: State, repo: string, source: State, command: string): State {
  const dir = `/go/src/${repo}`;
  return base
    .dir(dir)
    .run({ shlex: command, mounts: [{ target: dir, source, readonly: true }, { target: '/out' }] })
    .getMount('/out');
}

/** Writes the definition of buildkit, runc and, unless it is not wanted, containerd. */
export function writeBuildkit(fetch: Fetch): void {
  const flags = buildkitFlags();
  const buildkitRepo = 'github.com/moby/buildkit';
  const buildkit = fetch('buildkit', buildkitRepo, flags.buildkit);
  const runcRepo = 'github.com/opencontainers/runc';
  const runc = fetch('runc', runcRepo, flags.runc);
  const parts = [
    goBuild(toolChain, buildkitRepo, buildkit, 'go build -o /out/buildctl ./cmd/buildctl'),
    goBuild(toolChain, buildkitRepo, buildkit, 'go build -o /out/buildkitd ./cmd/buildkitd'),
    goBuild(toolChain, runcRepo, runc, 'go build -o /out/runc ./'),
    ...(flags.withContainerd ? [containerd(fetch, flags.containerd)] : []),
  ];
  const add = (tree: State, part: State): State =>
    tree.file(copy(part, '/.', '/', { createDestPath: true, allowWildcard: true }));
  writeDefinition(parts.reduce(add, scratch()));
}

function containerd(fetch: Fetch, version: string): State {
  const repo = 'github.com/containerd/containerd';
  const base = toolChain.run({ shlex: 'apk add --no-cache btrfs-progs-dev' }).root();
  return goBuild(
    base,
    repo,
    fetch('containerd', repo, version),
    'go build -o /out/containerd ./cmd/containerd',
  );
}
