import { expect } from 'chai';
import { cgroupLayoutOf } from '../../../../plugins/workers/shared/cgroup/cgroup-layout.js';
import { cgroupPath } from '../../../../plugins/workers/shared/cgroup/cgroup-path.js';

const v1 = '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory';
const pair = '36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 - cgroup cgroup rw,cpu,cpuacct';
const v2 = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw';
const other = '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard';

describe('cgroupLayoutOf', () => {
  it('tells the layouts apart', () => {
    const mode = (...lines: readonly string[]): string => cgroupLayoutOf(lines.join('\n')).mode;
    expect(mode(other)).to.equal('none');
    expect(mode(other, v1)).to.equal('v1');
    expect(mode(v1, v2)).to.equal('hybrid');
    expect(mode(other, v2)).to.equal('v2');
  });

  it('knows where each controller is', () => {
    expect(cgroupLayoutOf([other, v1, pair, v2].join('\n'))).to.deep.equal({
      mode: 'hybrid',
      v2: '/sys/fs/cgroup/unified',
      v1: [
        { mountPoint: '/sys/fs/cgroup/memory', controllers: ['memory'] },
        { mountPoint: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'] },
      ],
    });
  });

  it('reads escaped paths', () => {
    const escaped = '41 31 0:38 / /mnt/with\\040blank rw - cgroup2 cgroup2 rw';
    expect(cgroupLayoutOf(escaped).v2).to.equal('/mnt/with blank');
  });
});

describe('cgroupPath', () => {
  it('is below the parent', () => {
    expect(cgroupPath('', 'x')).to.equal('/buildkit/x');
    expect(cgroupPath('/a//b/', 'x')).to.equal('/a/b/buildkit/x');
  });

  it('refuses what would lead elsewhere', () => {
    expect(() => cgroupPath('a/../..', 'x')).to.throw('may not contain ".."');
    expect(() => cgroupPath('system.slice:', 'x')).to.throw('systemd');
    expect(() => cgroupPath('a\n+ y /init.scope/y\nb', 'x')).to.throw('control characters');
  });
});
