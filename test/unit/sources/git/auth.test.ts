import { expect } from 'chai';
import { parsePlatform } from '../../../../core/util/platform.js';
import { parseGitRequest } from '../../../../plugins/sources/git/attributes.js';
import { authSettings } from '../../../../plugins/sources/git/auth.js';
import { fakeSessions, group } from '../../../support/fake-session.js';
import { secretSession } from '../../../support/source-world.js';

const { signal } = new AbortController();
const attrs = { 'git.authtokensecret': 'GIT_AUTH_TOKEN', 'git.authheadersecret': 'GIT_AUTH_HEADER' };
const basic = (token: string): string => `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;

describe('git credentials', () => {
  const settings = async (name: string, secrets: Record<string, string>) => {
    const request = parseGitRequest({ scheme: 'git', name, attrs, platform: parsePlatform('linux/amd64') });
    const sessions = fakeSessions(secretSession('none', {}), secretSession('one', secrets));
    return Object.fromEntries(await authSettings(request, sessions, group('none', 'one'), signal));
  };
  const header = (url: string, value: string) => ({ [`http.${url}.extraheader`]: `Authorization: ${value}` });

  it('are a token or a whole header, for this remote only', async () => {
    expect(await settings('h.org/a', { GIT_AUTH_TOKEN: 'tok\n' })).to.deep.equal(
      header('https://h.org/a', basic('tok')),
    );
    expect(await settings('h.org/a', { GIT_AUTH_HEADER: 'Bearer x' })).to.deep.equal(
      header('https://h.org/a', 'Bearer x'),
    );
  });

  it('go to the host they are named after first', async () => {
    const secrets = { GIT_AUTH_HEADER: 'all', GIT_AUTH_TOKEN: 'all', 'GIT_AUTH_TOKEN.h.org:8443': 'own' };
    expect(await settings('h.org:8443/a', secrets)).to.deep.equal(
      header('https://h.org:8443/a', basic('own')),
    );
    expect(await settings('other.org/a', secrets)).to.deep.equal(header('https://other.org/a', 'all'));
  });

  it('serve all of GitHub, where submodules mostly are', async () => {
    expect(await settings('github.com/a/b', { GIT_AUTH_TOKEN: 't' })).to.deep.equal(
      header('https://github.com/', basic('t')),
    );
  });

  it('may be missing', async () => {
    expect(await settings('h.org/a', {})).to.deep.equal({});
  });

  it('are refused when they would smuggle in another header', async () => {
    const error = await settings('h.org/a', { GIT_AUTH_HEADER: 'x\r\nHost: y' }).catch(
      (reason: unknown) => reason,
    );
    expect(error).to.include({ code: 'git.secret' });
  });
});
