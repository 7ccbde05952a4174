import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { mountFlagsAt } from '../../../../core/util/linux/mount-flags.js';

describe('mountFlagsAt', () => {
  it('says of a mount what the kernel lists of it', () => {
    const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
    const listed = lines.map((line) => line.split(' ')).findLast(([, , , , point]) => point === '/proc')?.[5];
    const known = ['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime'];
    expect(mountFlagsAt('/proc')).to.have.members(listed!.split(',').filter((flag) => known.includes(flag)));
  });

  it('says which path is not there', () => {
    expect(() => mountFlagsAt('/no/such/path')).to.throw(/ENOENT.*\/no\/such\/path/);
  });
});
