/** What is built, exported and imported. `BASE`, `HTTP` and `GIT` stand for places that are known when it runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  build,
  copy,
  encodeDefinition,
  git,
  image,
  local,
  marshal,
  mkfile,
  type State,
  scratch,
} from '../../../client/llb/index.js';
import type { Sources } from '../compatibility/case.js';

export interface ExchangedBuild {
  readonly name: string;
  readonly dockerfile?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** In the place of a Dockerfile. */
  readonly llb?: (sources: Sources) => State;
}

const context = {
  a: 'a\n',
  b: 'b\n',
  'dir/c': 'c\n',
  'dir/d.txt': 'd\n',
  'dir/e.log': 'e\n',
  '.dockerignore': '*.log\n',
};
const multistage = join(import.meta.dirname, '../../../examples/multistage');
const exampleFiles = ['src/build.sh', 'src/main.sh', 'src/lib/greet.sh', 'src/lib/usage.sh', 'tests/run.sh'];
const readExample = (file: string): string => readFileSync(join(multistage, file), 'utf8');

const dockerfiles: readonly ExchangedBuild[] = [
  {
    name: 'steps one after the other',
    dockerfile: 'FROM BASE\nRUN echo 1 > /1\nCOPY a /a\nRUN cat /1 /a > /2\n',
  },
  {
    name: 'stages that use each other',
    dockerfile:
      'FROM BASE AS tools\nRUN echo tools > /tools\nFROM tools AS left\nCOPY a /in\nRUN cat /tools /in > /left\n' +
      'FROM tools AS right\nCOPY b /in\nRUN cat /tools /in > /right\n' +
      'FROM BASE\nCOPY --from=left /left /left\nCOPY --from=right /right /right\nRUN cat /left /right > /both\n',
  },
  {
    name: 'COPY --link',
    dockerfile:
      'FROM BASE AS made\nRUN echo made > /made\nFROM BASE\nCOPY --link a /linked/a\nCOPY --link --from=made /made /linked/\n',
  },
  {
    name: 'cache mounts',
    dockerfile:
      'FROM BASE\nRUN --mount=type=cache,target=/c echo 1 > /c/1 && echo 1 > /1\n' +
      'RUN --mount=type=cache,target=/c,id=own,sharing=locked echo 2 > /2\n',
  },
  {
    name: 'bind and tmpfs mounts',
    dockerfile:
      'FROM BASE AS made\nRUN echo made > /made\nFROM BASE\n' +
      'RUN --mount=from=made,source=/made,target=/m --mount=type=bind,source=dir,target=/d cat /m /d/c > /out\n' +
      'RUN --mount=type=tmpfs,target=/t echo t > /t/t && cp /out /again\n',
  },
  {
    name: 'heredocs',
    dockerfile:
      'FROM BASE\nRUN <<EOF\necho one > /one\ncat /one > /two\nEOF\nCOPY <<first <<second /texts/\n1\nfirst\n2\nsecond\n',
  },
  {
    name: 'ADD from the web and from git',
    dockerfile:
      'FROM BASE\nADD HTTP/hello.txt /hello\nADD HTTP/archive.tar.gz /archive\nADD GIT#v1 /repo\nRUN cat /hello /repo/README > /all\n',
  },
  {
    name: 'named contexts',
    dockerfile: 'FROM named\nCOPY --from=more c /c\nRUN cat /c > /d\n',
    args: [
      '--opt=context:named=docker-image://BASE',
      '--opt=context:more=local:more',
      '--local=more=CONTEXT/dir',
    ],
  },
  {
    name: 'two platforms',
    dockerfile:
      'FROM --platform=linux/amd64 BASE AS made\nARG TARGETARCH\nRUN echo $TARGETARCH > /arch\nFROM scratch\nCOPY --from=made /arch /arch\nCOPY a /a\n',
    args: ['--opt=platform=linux/amd64,linux/arm64'],
  },
  {
    name: 'users, owners and modes',
    dockerfile:
      'FROM BASE\nARG WHO=12:34\nWORKDIR /home/me\nENV A=1\nCOPY --chown=12:34 --chmod=0750 dir/*.txt ./\nUSER 12:34\nRUN id > /tmp/it\nCOPY --exclude=*.txt dir all/\n',
  },
  {
    name: 'a target in the middle',
    dockerfile:
      'FROM BASE AS one\nRUN echo 1 > /1\nFROM one AS two\nRUN echo 2 > /2\nFROM two\nRUN echo 3 > /3\n',
    args: ['--opt=target=two'],
  },
  {
    name: 'the example multistage',
    dockerfile: readExample('Dockerfile'),
    files: Object.fromEntries(exampleFiles.map((file) => [file, readExample(file)])),
    args: ['--opt=build-arg:BASE=BASE'],
  },
];

const sh = (state: State, script: string): State => state.run({ args: ['/bin/sh', '-c', script] }).root();

/** The shape of the buildkit examples, with a shell in the place of the Go tool chain. */
function binaries(
  base: State,
  sources: (name: string) => State,
  add: (tree: State, part: State) => State,
): State {
  const tools = sh(base, 'echo tools > /tools');
  const part = (name: string, from: State): State =>
    tools
      .dir('/src')
      .run({
        args: ['/bin/sh', '-c', `cat /tools README > /out/${name}`],
        mounts: [{ target: '/src', source: from, readonly: true }, { target: '/out' }],
      })
      .getMount('/out');
  const one = sources('one');
  return [part('ctl', one), part('daemon', one), part('runtime', sources('two'))].reduce(add, scratch());
}
const addFiles = (tree: State, part: State): State =>
  tree.file(copy(part, '/.', '/', { createDestPath: true, allowWildcard: true }));

const programs: readonly ExchangedBuild[] = [
  {
    name: 'LLB of buildkit0: nothing but exec steps',
    llb: ({ base }) => {
      const clone = (name: string): State =>
        sh(sh(base, 'echo tools > /tools'), `mkdir /src; echo ${name} > /src/README`);
      const made = ['ctl', 'daemon'].map((name) => sh(clone('one'), `cat /tools /src/README > /${name}`));
      const all = [...made, sh(clone('two'), 'cat /src/README > /runtime')];
      const add = (tree: State, from: State, at: number): State =>
        base
          .run({
            args: ['/bin/sh', '-c', `cp /src/${['ctl', 'daemon', 'runtime'][at]} /dest/bin/`],
            mounts: [
              { target: '/src', source: from },
              { target: '/dest', source: tree },
            ],
          })
          .getMount('/dest');
      return sh(all.reduce(add, base), 'ls /bin > /list');
    },
  },
  {
    name: 'LLB of buildkit1: sources from steps, mounted',
    llb: ({ base }) =>
      binaries(
        base,
        (name) =>
          base
            .run({ args: ['/bin/sh', '-c', `echo ${name} > /out/README`], mounts: [{ target: '/out' }] })
            .getMount('/out'),
        addFiles,
      ),
  },
  {
    name: 'LLB of buildkit2: sources from git',
    llb: ({ base, git: url }) =>
      binaries(base, (name) => git(url, { ref: name === 'one' ? 'v1' : 'side', keepGitDir: true }), addFiles),
  },
  {
    name: 'LLB of buildkit3: sources from git and the client',
    files: { README: 'of the client\n' },
    llb: ({ base, git: url }) =>
      binaries(base, (name) => (name === 'one' ? local('context') : git(url, { ref: 'v1' })), addFiles),
  },
  {
    name: 'LLB of gobuild: steps that a step has written',
    files: { 'cmd/alpha': '', 'cmd/beta': '' },
    llb: ({ base, baseRef }) => {
      const program = (name: string): State =>
        image(baseRef)
          .run({ args: ['/bin/sh', '-c', `echo built ${name} > /out/${name}`], mounts: [{ target: '/out' }] })
          .getMount('/out');
      const inner = addFiles(addFiles(scratch(), program('alpha')), program('beta'));
      const definition = encodeDefinition(
        marshal(inner, { platform: { os: 'linux', architecture: 'amd64' } }),
      );
      const generated = base
        .run({
          args: ['/bin/sh', '-c', 'ls /src/cmd > /dev/null; cp /made/inner.pb /out/buildkit.llb.definition'],
          mounts: [
            { target: '/src', source: local('context'), readonly: true },
            { target: '/made', source: scratch().file(mkfile('/inner.pb', 0o644, definition)) },
            { target: '/out' },
          ],
        })
        .getMount('/out');
      return build(generated);
    },
  },
];

export const exchanged: readonly ExchangedBuild[] = [
  ...dockerfiles.map((one) => ({ files: context, ...one })),
  ...programs,
];
