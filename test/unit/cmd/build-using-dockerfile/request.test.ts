import { expect } from 'chai';
import {
  type DockerBuildOptions,
  type DockerBuildRequest,
  requestOf,
} from '../../../../cmd/build-using-dockerfile/request.js';

const here = import.meta.dirname;
const request = (
  place: string,
  options: Partial<DockerBuildOptions> = {},
  env: Record<string, string> = {},
): DockerBuildRequest => requestOf(place, { cache: true, progress: 'auto', ...options }, env);

describe('options of docker build', () => {
  it('are those of the Dockerfile frontend', () => {
    const { folders, opts, entitlements } = request(
      here,
      {
        ...{ buildArg: ['A=1', 'B', 'C'], label: ['x=y=z', 'empty'], target: 'one', platform: 'linux/arm64' },
        ...{ cache: false, pull: true, addHost: ['a:1.2.3.4', 'b:::1', 'c=5.6.7.8'], network: 'none' },
      },
      { B: 'two' },
    );
    expect([...folders]).to.deep.equal([
      ['context', here],
      ['dockerfile', here],
    ]);
    expect(opts).to.deep.equal({
      ...{ 'build-arg:A': '1', 'build-arg:B': 'two', 'label:x': 'y=z', 'label:empty': '' },
      ...{ target: 'one', platform: 'linux/arm64', 'no-cache': '', 'image-resolve-mode': 'pull' },
      ...{ 'add-hosts': 'a=1.2.3.4,b=::1,c=5.6.7.8', 'force-network-mode': 'none' },
    });
    expect(entitlements).to.deep.equal([]);
  });

  it('take the Dockerfile from elsewhere', () => {
    const { folders, opts } = request(here, { file: '/etc/release.Dockerfile' });
    expect([folders.get('context'), folders.get('dockerfile')]).to.deep.equal([here, '/etc']);
    expect(opts).to.deep.equal({ filename: 'release.Dockerfile' });
  });

  for (const url of ['https://example.com/a.git#v1:sub', 'git@example.com:a/b.git', 'github.com/a/b']) {
    it(`leave ${url} to the daemon`, () => {
      const { folders, opts } = request(url, { file: 'docker/Dockerfile' });
      expect([folders.size, opts]).to.deep.equal([0, { context: url, filename: 'docker/Dockerfile' }]);
    });
  }

  it("grant the host's network to steps that are to have it", () => {
    const { opts, entitlements } = request(here, { network: 'host' });
    expect([opts, entitlements]).to.deep.equal([{ 'force-network-mode': 'host' }, ['network.host']]);
    expect(request(here, { network: 'default' }).opts).to.deep.equal({});
  });

  for (const [what, place, options, words] of [
    ['a context that is not there', '/nowhere', {}, 'the context /nowhere is no folder'],
    ['a context on standard input', '-', {}, 'a context from standard input is not supported'],
    [
      'a Dockerfile in no folder',
      here,
      { file: '/nowhere/Dockerfile' },
      '/nowhere: no such file or directory',
    ],
    ['a host without address', here, { addHost: ['a'] }, '--add-host a: expected host:ip'],
  ] as const) {
    it(`refuse ${what}`, () => {
      expect(() => request(place, options)).to.throw(words);
    });
  }
});
