/** Graphs by name; test/fixtures/client-llb/golden.json has what Go's llb package makes of the same ones. */
import {
  build,
  copy,
  diff,
  git,
  http,
  image,
  local,
  merge,
  mkdir,
  mkfile,
  ociLayout,
  type State,
  scratch,
} from '../../../client/llb/index.js';

const digest = `sha256:${'1'.repeat(64)}`;
const busybox = image('busybox');
const arg = (value: string): State => busybox.run({ args: [value] }).root();

const run = busybox
  .dir('/w')
  .env('A', '1')
  .env('B', '2')
  .env('A', '3')
  .user('u')
  .hostname('h')
  .network('host')
  .run({
    shlex: `sh -c "echo 'a b' \\"$X\\"" # comment`,
    env: { C: 'c' },
    cwd: 'sub',
    mounts: [
      { target: '/z' },
      { target: '/b', source: local('ctx'), readonly: true, selector: 's' },
      { target: '/c', cache: { id: 'id', sharing: 'locked' } },
      { target: '/t', tmpfs: { size: 5 } },
      { target: '/n', source: busybox, noOutput: true },
      { target: '/a', source: busybox, contentCache: 'off' },
    ],
    secrets: [
      { id: 'x', target: '/sec', optional: true, uid: 1, gid: 2, mode: 0o444 },
      { id: 'TOK', env: 'TOK' },
    ],
    ssh: [{ id: 'g' }, { target: '/agent', uid: 1, gid: 1, mode: 0o660, optional: true }],
    extraHosts: [{ host: 'h', ip: '1.2.3.4' }],
    ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
    cgroupParent: '/cg',
    validExitCodes: [0, 3],
    proxy: { http: 'p', no: 'n' },
    security: 'insecure',
    devices: [{ name: 'v/d=1', optional: true }],
    ignoreCache: true,
    name: 'run',
    description: { k: 'v' },
    exportCache: true,
    progressGroup: { id: 'g', name: 'gn', weak: true },
    filters: ['f==1'],
  });

export const graphs: Readonly<Record<string, State>> = {
  image: busybox,
  'image-options': image(`busybox:1@${digest}`, {
    resolveMode: 'pull',
    recordType: 'internal',
    layerLimit: 2,
    platform: { os: 'linux', architecture: 'arm64' },
    name: 'n',
  }),
  git: git('https://github.com/moby/buildkit.git', {
    ref: 'v1',
    subdir: 'sub',
    keepGitDir: true,
    checksum: 'abc',
    skipSubmodules: true,
  }),
  'git-bare': git('github.com/moby/buildkit'),
  'git-ssh': git('git@github.com:moby/buildkit.git', {
    ref: 'main',
    knownSshHosts: 'github.com ssh-rsa x',
    sshSocket: 's',
    authTokenSecret: 'tok',
  }),
  http: http('https://x.org/a?b', {
    checksum: digest,
    filename: 'f',
    mode: 0o644,
    uid: 1,
    gid: 2,
    accept: 'a',
    userAgent: 'u',
    authHeaderSecret: 'h',
  }),
  'oci-layout': ociLayout(`x@${digest}`, { sessionId: 'sess', storeId: 'store', layerLimit: 1 }),
  local: local('ctx', {
    sessionId: 's',
    includePatterns: ['a<b'],
    excludePatterns: ['*', '!é'],
    followPaths: ['x'],
    sharedKeyHint: 'h',
    differ: { type: 'metadata', required: true },
    metadataOnly: { except: ['m'] },
  }),
  'run-root': run.root(),
  'run-mount': run.getMount('/z'),
  'run-mount-a': run.getMount('/a').file(mkdir('rel', 0o700)),
  'run-on-run': run
    .root()
    .run({ args: ['x'] })
    .root(),
  'run-readonly': busybox.run({ args: ['x'], readonlyRoot: true, mounts: [{ target: '/o' }] }).getMount('/o'),
  'file-chain': busybox.dir('/d').file(
    mkdir('a', 0o755, { makeParents: true, owner: 'app:root' })
      .mkfile('/f', 0o600, 'data', { owner: { uid: 3, gid: 4 }, created: new Date(1_700_000_000_000) })
      .symlink('to', '/from', { owner: '7:grp' })
      .rm('x/../y', { allowNotFound: true, allowWildcard: true })
      .copy(local('ctx'), 'src/./x', 'dst/', {
        followSymlinks: true,
        contentsOnly: true,
        includePatterns: ['i'],
        excludePatterns: ['e'],
        requiredPaths: ['r'],
        unpack: true,
        createDestPath: true,
        allowWildcard: true,
        allowEmptyWildcard: true,
        replaceExisting: true,
        mode: 'u+x',
      })
      .copy(busybox, '/bin', '/x/.', { mode: 0o755 }),
    { name: 'f' },
  ),
  'file-nested': scratch().file(
    mkdir('/q', 0o755).copy(mkfile('made', 0o644, 'x').on(scratch().dir('/ced')), 'made', '/q/'),
  ),
  merge: merge([busybox, scratch(), image('alpine'), busybox], { name: 'm' }),
  diff: diff(busybox, run.root(), { name: 'd' }),
  'diff-empty': diff(busybox, scratch()),
  'merge-diff': merge([scratch().file(mkfile('/a', 0o644, '')), diff(busybox, arg('t'))]),
  shared: scratch().file(copy(arg('1'), '/', '/').copy(arg('2'), '/', '/').copy(busybox, '/', '/')),
  'image-config': busybox
    .withImageConfig(
      '{"architecture":"arm","os":"linux","variant":"v7","config":{"Env":["P=1","Q","=x"],"WorkingDir":"wd"}}',
    )
    .run({ args: ['x'] })
    .root(),
  build: build(arg('gen'), { filename: 'def.pb', name: 'nested' }),
  'build-default': build(busybox)
    .run({ args: ['x'] })
    .root(),
};
