import { expect } from 'chai';
import { runcConfig } from '../../../../plugins/workers/runc/config.js';
import { runtimeCandidates } from '../../../../plugins/workers/runc/find-runtime.js';

const problem = (section: object): string =>
  runcConfig.safeParse(section).error?.issues[0]?.message ?? 'accepted';

describe('runcConfig', () => {
  it('has a default for everything', () => {
    expect(runcConfig.parse({})).to.deep.include({
      binary: 'auto',
      snapshotter: 'auto',
      networkMode: 'auto',
      maxParallelism: 0,
    });
  });

  it('refuses by name what is known and not supported', () => {
    expect(problem({ selinux: true })).to.match(/SELinux/);
    expect(problem({ snapshotter: 'stargz' })).to.match(/stargz and proxies are not supported/);
  });

  it('checks platforms and resolvers', () => {
    expect(problem({ platforms: ['linux/arm64', 'a/b/c/d'] })).to.match(/expected os/);
    expect(problem({ dns: { nameservers: ['dns.example'] } })).to.equal('bad nameserver address');
  });
});

describe('runtimeCandidates', () => {
  it('prefers the faster one, unless one is named', () => {
    expect(runtimeCandidates('auto')).to.deep.equal(['crun', 'buildkit-runc', 'runc']);
    expect(runtimeCandidates('/opt/runc')).to.deep.equal(['/opt/runc']);
  });
});
