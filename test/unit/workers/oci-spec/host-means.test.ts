import { expect } from 'chai';
import { defaultMounts } from '../../../../plugins/workers/shared/oci-spec/default-mounts.js';
import { allMeans } from '../../../../plugins/workers/shared/oci-spec/host-means.js';
import { refuseLimits } from '../../../../plugins/workers/shared/oci-spec/limits.js';

const places = (means: Partial<typeof allMeans>): string[] =>
  defaultMounts(false, { ...allMeans, ...means }).map(({ destination }) => destination);

describe('defaultMounts', () => {
  it('leaves out /sys where it cannot be mounted, and groups where there are none', () => {
    expect(places({})).to.include.members(['/sys', '/sys/fs/cgroup']);
    expect(places({ cgroups: false }))
      .to.include('/sys')
      .and.not.to.include('/sys/fs/cgroup');
    expect(places({ sysfs: false }).filter((place) => place.startsWith('/sys'))).to.deep.equal([]);
  });

  it("shows the daemon's processes to steps without a process namespace", () => {
    const proc = defaultMounts(false, { ...allMeans, processSandbox: false })[0];
    expect(proc).to.deep.equal({
      destination: '/proc',
      type: 'bind',
      source: '/proc',
      options: ['rbind'],
    });
  });

  it('names no group of terminals that does not exist', () => {
    const options = (terminalGroup: boolean): readonly string[] | undefined =>
      defaultMounts(false, { ...allMeans, terminalGroup }).find(({ type }) => type === 'devpts')?.options;
    expect(options(true)).to.include('gid=5');
    expect(options(false)).not.to.include('gid=5');
  });
});

describe('refuseLimits', () => {
  it('refuses by name what only cgroups could keep', () => {
    expect(() => refuseLimits({ resources: { memory: 1, cpuShares: 0 }, cgroupParent: '' })).to.throw(
      /no cgroups to set memory with/,
    );
    expect(() => refuseLimits({ resources: {}, cgroupParent: 'nightly' })).to.throw(/cgroup parent/);
    expect(() => refuseLimits({ resources: {}, cgroupParent: '' })).not.to.throw();
  });
});
