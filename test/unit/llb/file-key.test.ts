import { expect } from 'chai';
import { pathListDigest } from '../../../core/llb/content-selectors.js';
import { contentSelectors, fileDeps, selectorPaths } from '../../../core/llb/keys/file-deps.js';
import { fileKey, fileKeyText } from '../../../core/llb/keys/file-key.js';
import type { Init, pb } from '../../../proto/index.js';
import { body } from './ops.js';

/** As clients make copies by default. */
const copy = (src: string, dest: string, more: Init<pb.FileActionCopy> = {}): Init<pb.FileActionCopy> => ({
  src,
  dest,
  mode: -1,
  followSymlink: true,
  dirCopyContents: true,
  createDestPath: true,
  allowWildcard: true,
  timestamp: -1,
  ...more,
});

interface Golden {
  readonly name: string;
  readonly actions: readonly Init<pb.FileAction>[];
  readonly inputs: number;
  readonly text: string;
  readonly digest: string;
  readonly selectors: readonly (string | undefined)[];
}

// Values of BuildKit v0.26.3 (wire facts G1).
const goldens: readonly Golden[] = [
  {
    name: 'copy',
    actions: [{ input: 0, secondaryInput: 1, output: 0, copy: copy('/dir/a.txt', '/app/') }],
    inputs: 2,
    text: '{"Type":"buildkit.file.v0","Actions":["eyJzcmMiOiJhLnR4dCIsImRlc3QiOiIvYXBwLyIsIm1vZGUiOi0xLCJmb2xsb3dTeW1saW5rIjp0cnVlLCJkaXJDb3B5Q29udGVudHMiOnRydWUsImNyZWF0ZURlc3RQYXRoIjp0cnVlLCJhbGxvd1dpbGRjYXJkIjp0cnVlLCJ0aW1lc3RhbXAiOi0xfQ=="]}',
    digest: 'sha256:3e5d1fa76ab8f0722b24114fb0d81c4c24d4ad0825eebfb49df3836064ffc745',
    selectors: [undefined, 'sha256:8e7333320847fa122c641fd5a2c66f98f1300fbb804df4b3e8aed8efad7619c1'],
  },
  {
    name: 'copy with owner',
    actions: [
      {
        input: 0,
        secondaryInput: 1,
        output: 0,
        copy: copy('/dir/*.go', '/app/', {
          owner: { user: { byID: 0 }, group: { byName: { name: 'staff', input: 0 } } },
          excludePatterns: ['*_test.go'],
          modeStr: 'u+x',
        }),
      },
    ],
    inputs: 2,
    text: '{"Type":"buildkit.file.v0","Actions":["eyJzcmMiOiIqLmdvIiwiZGVzdCI6Ii9hcHAvIiwib3duZXIiOnsidXNlciI6eyJVc2VyIjp7fX0sImdyb3VwIjp7IlVzZXIiOnsiYnlOYW1lIjp7Im5hbWUiOiJzdGFmZiJ9fX19LCJtb2RlIjotMSwiZm9sbG93U3ltbGluayI6dHJ1ZSwiZGlyQ29weUNvbnRlbnRzIjp0cnVlLCJjcmVhdGVEZXN0UGF0aCI6dHJ1ZSwiYWxsb3dXaWxkY2FyZCI6dHJ1ZSwidGltZXN0YW1wIjotMSwiZXhjbHVkZV9wYXR0ZXJucyI6WyIqX3Rlc3QuZ28iXSwibW9kZVN0ciI6InUreCJ9"]}',
    digest: 'sha256:ae7fd6ed7be46c3732f580d7ca1d19612a3e37ff43b7cc9db56aa876133de43a',
    selectors: [undefined, 'sha256:40eb9dcac590a4f3a2225445e2c114824254a286de1644bad03ff9abb1093632'],
  },
  {
    name: 'two copies',
    actions: [
      { input: 0, secondaryInput: 1, output: -1, copy: copy('/a', '/x/') },
      { input: 2, secondaryInput: 1, output: 0, copy: copy('/b', '/x/') },
    ],
    inputs: 2,
    text: '{"Type":"buildkit.file.v0","Actions":["eyJzcmMiOiJhIiwiZGVzdCI6Ii94LyIsIm1vZGUiOi0xLCJmb2xsb3dTeW1saW5rIjp0cnVlLCJkaXJDb3B5Q29udGVudHMiOnRydWUsImNyZWF0ZURlc3RQYXRoIjp0cnVlLCJhbGxvd1dpbGRjYXJkIjp0cnVlLCJ0aW1lc3RhbXAiOi0xfQ==","eyJzcmMiOiJiIiwiZGVzdCI6Ii94LyIsIm1vZGUiOi0xLCJmb2xsb3dTeW1saW5rIjp0cnVlLCJkaXJDb3B5Q29udGVudHMiOnRydWUsImNyZWF0ZURlc3RQYXRoIjp0cnVlLCJhbGxvd1dpbGRjYXJkIjp0cnVlLCJ0aW1lc3RhbXAiOi0xfQ=="]}',
    digest: 'sha256:edee897df2ca7abb7a12eafeed6dc346f8a9fab8c6fc813dd2eca184756ee47f',
    selectors: [undefined, 'sha256:7a04cb4d68402837fbaa719739b50c3748ef4fabbc033c312b7fc9ec332871bb'],
  },
  {
    name: 'mkdir and mkfile on scratch',
    actions: [
      {
        input: -1,
        secondaryInput: -1,
        output: -1,
        mkdir: { path: '/d', mode: 0o755, makeParents: true, timestamp: -1 },
      },
      {
        input: 0,
        secondaryInput: -1,
        output: 0,
        mkfile: { path: '/d/f', mode: 0o644, data: Buffer.from('hello\n'), timestamp: -1 },
      },
    ],
    inputs: 0,
    text: '{"Type":"buildkit.file.v0","Actions":["eyJwYXRoIjoiL2QiLCJtb2RlIjo0OTMsIm1ha2VQYXJlbnRzIjp0cnVlLCJ0aW1lc3RhbXAiOi0xfQ==","eyJwYXRoIjoiL2QvZiIsIm1vZGUiOjQyMCwiZGF0YSI6ImFHVnNiRzhLIiwidGltZXN0YW1wIjotMX0="],"indexes":[[-1,-1,-1],[0,-1,0]]}',
    digest: 'sha256:bfb97698779a659e8641bb258f41c337c750773e2235890016890a4c40601013',
    selectors: [],
  },
  {
    name: 'rm',
    actions: [
      {
        input: 0,
        secondaryInput: -1,
        output: 0,
        rm: { path: '/tmp/*', allowNotFound: true, allowWildcard: true },
      },
    ],
    inputs: 1,
    text: '{"Type":"buildkit.file.v0","Actions":["eyJwYXRoIjoiL3RtcC8qIiwiYWxsb3dOb3RGb3VuZCI6dHJ1ZSwiYWxsb3dXaWxkY2FyZCI6dHJ1ZX0="]}',
    digest: 'sha256:884491a12045a1dd3ea493e48ce4b5c3da58ec9edd4ebd4f2a181761cb952641',
    selectors: [undefined],
  },
  {
    name: 'symlink',
    actions: [
      {
        input: 0,
        secondaryInput: -1,
        output: 0,
        symlink: { oldpath: '/a', newpath: '/b', timestamp: -1 },
      },
    ],
    inputs: 1,
    text: '{"Type":"buildkit.file.v0","Actions":["eyJvbGRwYXRoIjoiL2EiLCJuZXdwYXRoIjoiL2IiLCJ0aW1lc3RhbXAiOi0xfQ=="]}',
    digest: 'sha256:23428530006dcd180b69e23c5636642e9a061d9ecec7683e15f433c7cec632b5',
    selectors: [undefined],
  },
];

describe('fileKey', () => {
  for (const golden of goldens) {
    it(`${golden.name}: agrees with BuildKit`, () => {
      const file = body('file', { file: { actions: golden.actions } }, golden.inputs);
      expect(fileKeyText(file, golden.inputs)).to.equal(golden.text);
      expect(fileKey(file, golden.inputs)).to.equal(golden.digest);
      const selectors = fileDeps(file, golden.inputs).map(
        (list) => list && pathListDigest(selectorPaths(list)),
      );
      expect(selectors).to.deep.equal(golden.selectors);
    });
  }

  // A real cache export of v0.26.3 (wire facts G5.2): copies as the Dockerfile frontend makes them.
  const exported: readonly [name: string, action: Init<pb.FileAction>, inputs: number, digest: string][] = [
    [
      'COPY a.txt /x/ onto scratch',
      { input: -1, copy: copy('/a.txt', '/x/', { allowEmptyWildcard: true }) },
      1,
      'sha256:adc16b82f7648945c60a975071811b6380a5c6f53e609be8dae8a3216e466087',
    ],
    [
      'COPY dir /y/',
      { input: 0, secondaryInput: 1, copy: copy('/dir', '/y/', { allowEmptyWildcard: true }) },
      2,
      'sha256:8069ea518420bce5e766c95dff296aaef8fe703ea4d8f10d21d23e8afd7ba6ed',
    ],
    [
      'COPY --from=a /x/ /z/ onto scratch',
      { input: -1, copy: copy('/x', '/z/', { allowEmptyWildcard: true }) },
      1,
      'sha256:eaf76a604f80a21c18de89f780d440af52ce3b6b516784b84eee03846efebaa7',
    ],
  ];
  for (const [name, action, inputs, digest] of exported) {
    it(`${name}: agrees with a real cache export`, () =>
      expect(fileKey(body('file', { file: { actions: [action] } }, inputs), inputs)).to.equal(digest));
  }
});

describe('contentSelectors', () => {
  const selectors = (...copies: Init<pb.FileActionCopy>[]): unknown => {
    const actions = copies.map((action, i) => ({
      input: i === 0 ? -1 : i,
      secondaryInput: 0,
      output: i === copies.length - 1 ? 0 : -1,
      copy: action,
    }));
    const [list] = fileDeps(body('file', { file: { actions } }, 1), 1);
    return (
      list && contentSelectors(list).map(({ path, wildcard, followLinks }) => [path, wildcard, followLinks])
    );
  };

  it('drops plain paths that another one covers, and sorts', () => {
    expect(selectors(copy('/b', '/'), copy('/a/x', '/'), copy('/a', '/'), copy('/ab', '/'))).to.deep.equal([
      ['/a', false, true],
      ['/ab', false, true],
      ['/b', false, true],
    ]);
  });

  it('keeps wildcards and paths whose links are treated otherwise', () => {
    expect(
      selectors(copy('/a/*.c', '/'), copy('/a', '/'), copy('/a/b', '/', { followSymlink: false })),
    ).to.deep.equal([
      ['/a', false, true],
      ['/a/*.c', true, true],
      ['/a/b', false, false],
    ]);
  });

  it('takes an escaped or disallowed wildcard literally', () => {
    expect(selectors(copy('/\\*', '/'))).to.deep.equal([['/\\*', false, true]]);
    expect(selectors(copy('/*', '/', { allowWildcard: false }))).to.deep.equal([['/*', false, true]]);
  });
});
