import { expect } from 'chai';
import { parsePlatform } from '../../../../core/util/platform.js';
import { type GitRequest, parseGitRequest } from '../../../../plugins/sources/git/attributes.js';

const parse = (name: string, attrs: Record<string, string> = {}): GitRequest =>
  parseGitRequest({ scheme: 'git', name, attrs, platform: parsePlatform('linux/amd64') });

describe('git attributes', () => {
  it('are all read', () => {
    expect(
      parse('h.org/a#main:sub', {
        'git.fullurl': 'ssh://git@h.org/a',
        'git.keepgitdir': 'true',
        'git.skipsubmodules': 'true',
        'git.checksum': 'abc123',
        'git.authtokensecret': 'TOKEN',
        'git.authheadersecret': 'HEADER',
        'git.knownsshhosts': 'h.org ssh-rsa x\n',
        'git.mountsshsock': 'default',
      }),
    ).to.deep.equal({
      remote: { url: 'ssh://git@h.org/a', host: 'h.org', ssh: true },
      ref: 'main',
      subdir: 'sub',
      keepGitDir: true,
      skipSubmodules: true,
      checksum: 'abc123',
      authTokenSecret: 'TOKEN',
      authHeaderSecret: 'HEADER',
      knownSshHosts: 'h.org ssh-rsa x\n',
      sshSocket: 'default',
    });
  });

  it('let every spelling of the root be the root', () => {
    for (const subdir of ['', '/', '.', './', '//', 'a/..'])
      expect(parse(`h/a#r:${subdir}`).subdir).to.equal('');
    expect(parse('h/a#r:/sub/').subdir).to.equal('/sub/');
  });

  it('refuse refs that git would take for options, patterns or expressions', () => {
    for (const ref of ['--upload-pack=x', '-x', 'a..b', 'a^', 'a~1', 'v*', 'a%20b', 'a%0ab', 'a[b']) {
      expect(() => parse(`h/a#${ref}`), ref).to.throw('cannot be a git ref');
    }
  });

  it('refuse a checksum that is no hash', () => {
    expect(() => parse('h/a', { 'git.checksum': 'main' })).to.throw(
      'invalid checksum main for Git URL, expected hex commit hash',
    );
  });

  it('are refused by name when they are known, but cannot be obeyed', () => {
    for (const attr of ['git.sig.pubkey', 'git.sig.requiresignedtag', 'git.mtime', 'git.bundle']) {
      expect(() => parse('h/a', { [attr]: 'true' }), attr)
        .to.throw(attr)
        .with.property('grpcCode', 'Unimplemented');
    }
  });

  it('are refused when nobody knows them, with the nearest one', () => {
    expect(() => parse('h/a', { 'git.keepgitdirs': 'true' })).to.throw('git.keepgitdir');
    expect(() => parse('h/a', { 'git.keepgitdir': 'yes' })).to.throw('expected true or false');
  });
});
