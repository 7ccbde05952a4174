import { expect } from 'chai';
import { isGitTransport, parseFullUrl, parseIdentifier } from '../../../../plugins/sources/git/remote.js';

describe('git remotes', () => {
  const identifiers: Readonly<Record<string, readonly [url: string, ref: string, subdir: string]>> = {
    'github.com/moby/buildkit.git': ['https://github.com/moby/buildkit.git', '', ''],
    'github.com/moby/buildkit.git#v1.0.0': ['https://github.com/moby/buildkit.git', 'v1.0.0', ''],
    'github.com/moby/buildkit#v1:sub/dir': ['https://github.com/moby/buildkit', 'v1', 'sub/dir'],
    'github.com/moby/buildkit#:sub': ['https://github.com/moby/buildkit', '', 'sub'],
    'http://github.com/moby/buildkit': ['http://github.com/moby/buildkit', '', ''],
    'HTTP://github.com/moby/buildkit': ['http://github.com/moby/buildkit', '', ''],
    'http://foo:bar@github.com/moby/buildkit#v1': ['http://foo:bar@github.com/moby/buildkit', 'v1', ''],
    'ssh://git@github.com:22/moby/buildkit.git': ['ssh://git@github.com:22/moby/buildkit.git', '', ''],
    'git@github.com:moby/buildkit.git#v1:hack': ['git@github.com:moby/buildkit.git', 'v1', 'hack'],
    'git://host.xz:1234/path/to/repo.git': ['git://host.xz:1234/path/to/repo.git', '', ''],
    'h.org/with space#a%20b': ['https://h.org/with%20space', 'a b', ''],
  };
  for (const [identifier, [url, ref, subdir]] of Object.entries(identifiers)) {
    it(`reads ${identifier}`, () => {
      const parsed = parseIdentifier(identifier);
      expect([parsed.remote.url, parsed.ref, parsed.subdir]).to.deep.equal([url, ref, subdir]);
    });
  }

  it('knows which of them go through ssh, and to which host', () => {
    expect(parseIdentifier('git@h.org:a/b').remote).to.include({ ssh: true, host: 'h.org' });
    expect(parseIdentifier('ssh://u@h.org:22/a').remote).to.include({ ssh: true, host: 'h.org:22' });
    expect(parseIdentifier('https://u:p@h.org:8443/a').remote).to.include({ ssh: false, host: 'h.org:8443' });
  });

  it('takes four protocols, and none that runs programs or reads this machine', () => {
    expect(['http://h', 'https://h', 'ssh://h', 'git://h', 'git@h:p'].map(isGitTransport)).to.not.include(
      false,
    );
    expect(['file:///h', 'ext::sh', 'httpx://h', '/srv/git', 'h.org/a'].map(isGitTransport)).to.not.include(
      true,
    );
  });

  it('takes a full URL as it is, https unless it says otherwise', () => {
    expect(parseFullUrl('github.com/a/b').url).to.equal('https://github.com/a/b');
    expect(parseFullUrl('git@h.org:a/b.git').url).to.equal('git@h.org:a/b.git');
  });

  it('refuses a query, which would be ignored', () => {
    expect(() => parseIdentifier('github.com/a/b?ref=v1')).to.throw('takes no query');
  });

  it('refuses what is no remote', () => {
    expect(() => parseIdentifier('https:///path')).to.throw('is no git remote');
    expect(() => parseIdentifier('ssh://-oProxyCommand=x/path')).to.throw('is no git remote');
    expect(() => parseIdentifier('h.org/a#%zz')).to.throw('is no git remote');
  });
});
