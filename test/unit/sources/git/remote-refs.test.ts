import { expect } from 'chai';
import { parsePlatform } from '../../../../core/util/platform.js';
import { parseGitRequest } from '../../../../plugins/sources/git/attributes.js';
import { gitKey } from '../../../../plugins/sources/git/keys.js';
import { chooseRef, metaOfHash, verifyChecksum } from '../../../../plugins/sources/git/remote-refs.js';

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
];
const request = (name: string, attrs: Record<string, string> = {}) =>
  parseGitRequest({ scheme: 'git', name, attrs, platform: parsePlatform('linux/amd64') });

describe('refs of git remotes', () => {
  const listed = `${a}\trefs/heads/main\n${b}\trefs/tags/v1\n${c}\trefs/tags/v1^{}\n${d}\trefs/tags/main\n`;

  it('are branches before they are tags', () => {
    expect(chooseRef(listed, 'main')).to.deep.equal({
      ref: 'refs/heads/main',
      checksum: a,
      commitChecksum: undefined,
    });
  });

  it('are tags, with the commit that an annotated one points to', () => {
    const tag = { ref: 'refs/tags/v1', checksum: b, commitChecksum: c };
    expect(chooseRef(listed, 'v1')).to.deep.equal(tag);
    expect(chooseRef(listed, 'refs/tags/v1')).to.deep.equal(tag);
  });

  it('may be written in full or in part', () => {
    expect(chooseRef(listed, 'refs/heads/main').checksum).to.equal(a);
    expect(chooseRef(listed, 'heads/main').checksum).to.equal(a);
    expect(chooseRef(listed, 'tags/main').checksum).to.equal(d);
    expect(chooseRef(`${d}\trefs/pull/1/head\n`, 'refs/pull/1/head')).to.include({ checksum: d });
  });

  it('are told about when they are not there', () => {
    expect(() => chooseRef('', 'nope'))
      .to.throw('repository does not contain ref nope, output: ""')
      .with.property('grpcCode', 'NotFound');
  });

  it('that are hashes stand for themselves, without asking', () => {
    expect(metaOfHash(request(`h/a#${a}`))).to.deep.equal({ ref: a, checksum: a, commitChecksum: undefined });
    expect(metaOfHash(request('h/a#main'))).to.equal(undefined);
    expect(metaOfHash(request('h/a#aaaaaaa'))).to.equal(undefined);
    expect(() => metaOfHash(request(`h/a#${a}`, { 'git.checksum': 'b' }))).to.throw(
      `expected checksum to match b, got ${a}`,
    );
  });

  it('must be the tag or the commit that a checksum begins', () => {
    const tag = chooseRef(listed, 'v1');
    verifyChecksum(request('h/a#v1', { 'git.checksum': 'bbbb' }), tag);
    verifyChecksum(request('h/a#v1', { 'git.checksum': c }), tag);
    verifyChecksum(request('h/a#v1'), tag);
    expect(() => verifyChecksum(request('h/a#v1', { 'git.checksum': 'd' }), tag)).to.throw(
      `got ${b} or ${c}`,
    );
  });
});

describe('git cache keys', () => {
  const main = { ref: 'refs/heads/main', checksum: a, commitChecksum: undefined };
  const tag = { ref: 'refs/tags/v1', checksum: b, commitChecksum: c };

  it('are the commit, however it was named', () => {
    expect(gitKey(request('h/a#main'), main)).to.equal(a);
    expect(gitKey(request('h/a#v1'), tag)).to.equal(c);
  });

  it('name the ref when the git directory is kept, because that shows it', () => {
    const kept = { 'git.keepgitdir': 'true' };
    expect(gitKey(request('h/a#main:sub', kept), main)).to.equal(`${a}.git#refs/heads/main:sub`);
    expect(gitKey(request('h/a#v1', kept), tag)).to.equal(`${b}.git#refs/tags/v1`);
  });

  it('tell folders and left out submodules apart', () => {
    const key = gitKey(request('h/a#main:sub', { 'git.skipsubmodules': 'true' }), main);
    expect(key).to.equal(`${a}:sub(skip-submodules)`);
  });
});
