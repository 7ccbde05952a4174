/** Graphs of one option each, by name; test/fixtures/client-llb/options.json has what Go's llb package makes of them. */
import {
  build,
  copy,
  diff,
  git,
  http,
  image,
  imageWithConfig,
  local,
  type MarshalOptions,
  type MountOptions,
  marshal,
  merge,
  mkdir,
  mkfile,
  ociLayout,
  type RunOptions,
  rm,
  type SourceLocation,
  type State,
  scratch,
  symlink,
} from '../../../client/llb/index.js';

const digest = `sha256:${'1'.repeat(64)}`;
const busybox = image('busybox');
const alpine = image('alpine');
const x = { args: ['x'] } as const;
const run = (options: RunOptions = {}): State => busybox.run({ ...x, ...options }).root();
const mounted = (mount: MountOptions): State => run({ mounts: [mount] });
const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };
const windows = { os: 'windows', architecture: 'amd64', osVersion: '10.0.1', osFeatures: ['win32k'] };
const created = new Date(1_600_000_000_004);
const resolver = {
  resolve: async () => ({
    digest: `sha256:${'2'.repeat(64)}`,
    config: '{"architecture":"arm64","os":"linux","config":{"Env":["PATH=/x","E=1"],"WorkingDir":"/wd"}}',
  }),
};

const mounts: Readonly<Record<string, State>> = {
  'mount-selector': mounted({ target: '/m', source: alpine, selector: '/etc' }),
  'mount-readonly': mounted({ target: '/m', source: alpine, readonly: true }),
  'mount-cache-shared': mounted({ target: '/c', cache: { id: 'c' } }),
  'mount-cache-private': mounted({
    target: '/c',
    source: busybox,
    selector: '/seed',
    cache: { id: 'c', sharing: 'private' },
  }),
  'mount-cache-readonly': mounted({ target: '/c', readonly: true, cache: { id: 'c', sharing: 'locked' } }),
  'mount-tmpfs': mounted({ target: '/t', tmpfs: {} }),
  'mount-tmpfs-size': mounted({ target: '/t', tmpfs: { size: 2 ** 33 } }),
  'mount-no-output': mounted({ target: '/m', noOutput: true }),
  'mount-content-cache-on': mounted({ target: '/m', source: busybox, contentCache: 'on' }),
  'mount-content-cache-default': mounted({ target: '/m', source: busybox, contentCache: 'default' }),
  'mount-twice-the-same': run({
    mounts: [
      { target: '/a', source: busybox },
      { target: '/b', source: busybox, readonly: true },
    ],
  }),
  'mount-second-output': (() => {
    const first = busybox.run({ ...x, mounts: [{ target: '/b', source: alpine }, { target: '/a' }] });
    const mounts = [{ target: '/in', source: first.root(), readonly: true }];
    return first
      .getMount('/a')
      .run({ args: ['y'], mounts })
      .root();
  })(),
  'readonly-root': busybox.run({ ...x, readonlyRoot: true, mounts: [{ target: '/out' }] }).getMount('/out'),
};

const secrets: Readonly<Record<string, State>> = {
  'secret-file': run({ secrets: [{ id: '/run/secrets/s', target: '/run/secrets/s' }] }),
  'secret-file-options': run({
    secrets: [{ id: 'id', target: '/s', optional: true, uid: 1, gid: 2, mode: 0o640 }],
  }),
  'secret-env': run({ secrets: [{ id: 'S', env: 'S' }] }),
  'secret-env-name': run({ secrets: [{ id: 'id', target: 's', env: 'N', optional: true }] }),
  'secret-file-and-env': run({ secrets: [{ id: 'id', target: '/sec', env: 'N' }] }),
  ssh: run({ ssh: [{}] }),
  'ssh-options': run({
    ssh: [{ id: 'a', target: '/agent', uid: 1, gid: 2, mode: 0o666, optional: true }, { id: 'b' }],
  }),
  'ssh-own-variable': busybox
    .env('SSH_AUTH_SOCK', '/own')
    .run({ ...x, ssh: [{ target: '/t' }] })
    .root(),
};

const settings: Readonly<Record<string, State>> = {
  'network-none': run({ network: 'none' }),
  'network-host-state': busybox.network('host').run(x).root(),
  security: busybox.security('insecure').run(x).root(),
  proxy: run({ proxy: { http: 'h', https: 'hs', ftp: 'f', no: 'n', all: 'a' } }),
  'extra-hosts': busybox
    .extraHost({ host: 'a', ip: '1.2.3.4' })
    .run({ ...x, extraHosts: [{ host: 'b', ip: '::1' }] })
    .root(),
  ulimits: busybox
    .ulimit({ name: 'core', soft: 1, hard: 2 })
    .run({ ...x, ulimits: [{ name: 'nofile', soft: -1, hard: 2 ** 40 }] })
    .root(),
  'exit-codes': run({ validExitCodes: [1, 0, 127] }),
  devices: run({ devices: [{ name: 'v/a=1' }, { name: 'v/b=2', optional: true }] }),
  'state-settings': busybox
    .user('u:g')
    .hostname('h')
    .cgroupParent('cg')
    .dir('a')
    .dir('../b/./c')
    .env('K', 'v=w')
    .env('E', '')
    .run(x)
    .root(),
  'run-dir-user': busybox
    .dir('/d')
    .run({ ...x, cwd: 'e', user: 'u', env: { A: '1' }, hostname: 'hh' })
    .root()
    .run(x)
    .root(),
  reset: busybox
    .dir('/d')
    .env('A', '1')
    .run(x)
    .root()
    .reset(scratch().user('me').env('B', '2'))
    .run(x)
    .root(),
  shlex: busybox.run({ shlex: `sh -c 'a "b"' "c d" e\\ f # no` }).root(),
  'run-platform': run({ platform: arm }),
  'state-platform': busybox.platform(arm).run(x).root(),
  windows: image('w', { platform: windows }).run(x).root(),
  'no-default-path': run(),
  'no-default-path-own': busybox.env('PATH', '/own').run(x).root(),
  'default-path': run(),
  'ignore-cache': run({ ignoreCache: true }),
  'export-cache-no': run({ exportCache: false }),
  'export-cache': run({ exportCache: true }),
  description: run({ description: { z: '1', a: 'é<>&' }, name: 'n 1' }),
  'progress-group': run({ progressGroup: { id: 'id', name: 'name', weak: false } }),
  filters: image('busybox', { filters: ['a==1', 'b~=x'] })
    .run({ ...x, filters: ['c'] })
    .root(),
  'same-op-two-names': merge([
    busybox.file(mkdir('/a', 0o755), { name: 'one' }),
    busybox.file(mkdir('/a', 0o755), { ignoreCache: true, description: { k: 'v' } }),
  ]),
};

const sources: Readonly<Record<string, State>> = {
  'image-local': image('docker.io/library/busybox:1', { resolveMode: 'local' }),
  'image-checksum': image('localhost:5000/a/b', { checksum: digest }),
  'image-digest': image(`busybox@${digest}`),
  'image-resolved': (await imageWithConfig('busybox', resolver)).run(x).root(),
  'image-resolved-digest': (await imageWithConfig('busybox', resolver, { pin: true })).run(x).root(),
  'git-fragment': git('https://u:p@x.org:8080/a/b.git', { ref: 'main', subdir: 'sub/dir' }),
  'git-subdir': git('https://x.org/a', { subdir: 'd', keepGitDir: true }),
  'git-ssh-url': git('ssh://me@x.org:2222/a/b', { ref: 'r', knownSshHosts: 'k\n', sshSocket: 's' }),
  'git-scp': git('me@x.org:a/b.git', { ref: 'r', knownSshHosts: 'a\nb' }),
  'git-http': git('http://x.org/a.git', {
    ref: 'v1',
    authHeaderSecret: 'h',
    skipSubmodules: true,
    checksum: 'abc',
  }),
  'git-protocol': git('git://x.org/a.git'),
  'http-plain': http('http://x.org/f'),
  'http-mode': http('http://x.org/f', { mode: 0o7, gid: 5, accept: 'a' }),
  'oci-layout-plain': ociLayout(`a/b@${digest}`),
  'local-plain': local('ctx'),
  'local-unique': local('ctx', { uniqueId: 'mine' }),
  'local-lists': local('a b', {
    includePatterns: ['*.go', 'a/**', '"q"'],
    followPaths: [],
    excludePatterns: ['\u2028'],
  }),
  'local-differ': local('ctx', { differ: { type: 'none' }, metadataOnly: { except: [] } }),
};

const files: Readonly<Record<string, State>> = {
  mkdir: busybox.file(mkdir('a/b', 0o711, { makeParents: true, owner: { uid: 5, gid: 0 }, created })),
  'mkdir-user': busybox.file(mkdir('/a', 0o2755, { owner: 'u' })),
  'mkdir-ids': busybox.file(mkdir('/a', 0o755, { owner: '5:6' })),
  'mkdir-root': busybox.file(mkdir('/a', 0o755, { owner: 'root:wheel' })),
  mkfile: scratch().file(mkfile('f', 0o4755, Uint8Array.of(0, 255), { created, owner: 'u:7' })),
  symlink: busybox.dir('/d').file(symlink('../t', 'l', { created })),
  rm: busybox
    .dir('/d')
    .file(rm('x/'), { platform: arm })
    .file(rm('/*', { allowWildcard: true }))
    .file(rm('.', { allowNotFound: true })),
  copy: busybox.file(copy(alpine, 'a', 'b')),
  'copy-dirs': busybox.dir('/to').file(copy(alpine.dir('/from'), './a/', './b/')),
  'copy-options': busybox.file(
    copy(local('ctx'), '/', '/', { followSymlinks: true, contentsOnly: true, owner: 'u:g' }),
  ),
  'copy-patterns': busybox.file(
    copy(local('ctx'), '/', '/', {
      includePatterns: ['b', 'a'],
      excludePatterns: ['z'],
      allowWildcard: true,
      allowEmptyWildcard: true,
    }),
  ),
  'copy-mode': busybox.file(copy(local('ctx'), '/a', '/b', { mode: 0o640 })),
  'copy-mode-text': busybox.file(
    copy(local('ctx'), '/a', '/b', {
      mode: 'a+r',
      replaceExisting: true,
      unpack: true,
      createDestPath: true,
      created,
    }),
  ),
  'copy-from-itself': busybox.file(copy(busybox, '/a', '/b').copy(busybox, '/c', '/d')),
  'copy-made': busybox.file(
    mkdir('/m', 0o755).copy(mkdir('/q', 0o700).mkfile('/q/f', 0o600, 'x').on(alpine), '/q', '/m/'),
  ),
};

const located = (): SourceLocation[] => {
  const map = { filename: 'a.ts', language: 'TypeScript', data: Buffer.from('one\ntwo\n') };
  return [{ map, ranges: [range(1, 2, 3)] }];
};
const range = (line: number, from: number, to: number) => ({
  start: { line, character: from },
  end: { line, character: to },
});

const shapes: Readonly<Record<string, State>> = {
  diamond: (() => {
    const top = run({ env: { N: 'a' } });
    const left = top.run({ args: ['l'] }).root();
    const right = top.run({ args: ['r'], mounts: [{ target: '/l', source: left, readonly: true }] }).root();
    return merge([right, left, top]);
  })(),
  'merge-of-merge': merge([merge([busybox, alpine]), run()], { name: 'm' }),
  'diff-from-nothing': merge([busybox, diff(scratch(), run())]),
  'diff-of-mounts': (() => {
    const both = busybox.run({ ...x, mounts: [{ target: '/a' }] });
    return diff(both.root(), both.getMount('/a'), { ignoreCache: true });
  })(),
  'build-on': build(busybox, { filename: 'f' }).run(x).root(),
  'source-map': (() => {
    const [{ map }] = located() as [SourceLocation];
    const definition = marshal(local('src', { sessionId: 's' }));
    const made = { filename: 'b', language: '', data: Buffer.alloc(0), definition };
    return image('busybox', { locations: located() })
      .run({
        ...x,
        locations: [
          { map: made, ranges: [] },
          { map, ranges: [range(2, 0, 0), range(1, 2, 3)] },
        ],
      })
      .root();
  })(),
};

export const optionGraphs: Readonly<Record<string, State>> = {
  ...mounts,
  ...secrets,
  ...settings,
  ...sources,
  ...files,
  ...shapes,
};

/** What these graphs are written for, besides linux/amd64. */
export const optionTargets: Readonly<Record<string, MarshalOptions>> = {
  'no-default-path': { caps: new Set() },
  'no-default-path-own': { caps: new Set() },
  'default-path': { caps: new Set(['exec.meta.setsdefaultpath']) },
};
