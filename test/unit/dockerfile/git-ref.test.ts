import { expect } from 'chai';
import { type GitRef, parseGitRef } from '../../../plugins/frontends/dockerfile/git-ref.js';

const plain: GitRef = {
  remote: '',
  ref: '',
  subdir: '',
  checksum: '',
  keepGitDir: undefined,
  submodules: undefined,
  looksLocal: false,
};

describe('dockerfile: repositories', () => {
  const table: readonly (readonly [text: string, parsed: Partial<GitRef> | undefined])[] = [
    ['https://host/a.git', { remote: 'https://host/a.git' }],
    ['HTTPS://host/a.git', { remote: 'https://host/a.git' }],
    ['https://host/a.git#v1:sub/dir', { remote: 'https://host/a.git', ref: 'v1', subdir: 'sub/dir' }],
    ['https://host/a.git#:sub', { remote: 'https://host/a.git', subdir: 'sub' }],
    ['https://host/a.git#a%20b', { remote: 'https://host/a.git', ref: 'a b' }],
    ['https://host/a.git?tag=v1', { remote: 'https://host/a.git', ref: 'refs/tags/v1' }],
    [
      'https://host/a.git?tag=refs/tags/v1#refs/tags/v1',
      { remote: 'https://host/a.git', ref: 'refs/tags/v1' },
    ],
    [
      'https://host/a.git?branch=x&subdir=s',
      { remote: 'https://host/a.git', ref: 'refs/heads/x', subdir: 's' },
    ],
    ['https://host/a.git?commit=abc', { remote: 'https://host/a.git', checksum: 'abc' }],
    ['https://host/a.git?keep-git-dir', { remote: 'https://host/a.git', keepGitDir: true }],
    ['https://host/a.git?submodules=0', { remote: 'https://host/a.git', submodules: false }],
    ['ssh://git@host:22/a', { remote: 'ssh://git@host:22/a' }],
    ['git@host:a/b#v1', { remote: 'git@host:a/b', ref: 'v1' }],
    ['git@host:a/b?subdir=x#v1', { remote: 'git@host:a/b', ref: 'v1', subdir: 'x' }],
    ['github.com/a/b#v1', { remote: 'github.com/a/b', ref: 'v1', looksLocal: true }],
    ['https://host/a', undefined],
    ['https://host/a.git/b', undefined],
    ['https://host:port/a.git', undefined],
    ['ftp://host/a.git', undefined],
    ['./a.git', undefined],
    ['a/b.git', undefined],
    ['', undefined],
  ];
  for (const [text, parsed] of table) {
    it(`reads ${text || 'nothing'} as ${parsed ? 'one' : 'none'}`, () => {
      expect(parseGitRef(text)).to.deep.equal(parsed && { ...plain, ...parsed });
    });
  }

  for (const [query, message] of [
    ['?taag=1', 'unexpected query "taag" (did you mean tag?)'],
    ['?tag=a&branch=b', 'branch conflicts with tag'],
    ['?ref=a#b', 'ref conflicts: "b" vs "a"'],
    ['?ref=', 'query "ref" has no value'],
    ['?ref=a&ref=a', 'query "ref" has multiple values'],
    ['?submodules=maybe', 'invalid submodules value: "maybe"'],
  ] as const) {
    it(`refuses ${query}`, () => {
      expect(() => parseGitRef(`https://host/a.git${query}`)).to.throw(message);
    });
  }
});
