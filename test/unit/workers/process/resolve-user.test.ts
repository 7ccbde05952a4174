import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { resolveUser } from '../../../../plugins/workers/shared/process/resolve-user.js';

describe('resolveUser', () => {
  let root: string;
  before(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'users-'));
    fs.mkdirSync(path.join(root, 'etc'));
    const passwd = [
      'root:x:0:7:root:/root:/bin/sh',
      '',
      'alice:x:1000:1001:::',
      'alice:x:5:5:::',
      '12:x:90:91:::',
    ];
    fs.writeFileSync(path.join(root, 'etc/passwd'), passwd.join('\n'));
    fs.writeFileSync(path.join(root, 'etc/group'), 'adm:x:4:root,alice\nstaff:x:50:bob,alice\nwheel:x:10:\n');
  });
  after(() => fs.rmSync(root, { recursive: true }));

  const cases: readonly (readonly [user: string, uid: number, gid: number, groups: readonly number[]])[] = [
    ['', 0, 7, [7, 4]],
    ['root', 0, 7, [7, 4]],
    ['alice', 1000, 1001, [1001, 4, 50]],
    ['1000', 1000, 1001, [1001, 4, 50]],
    ['alice:wheel', 1000, 10, [10]],
    ['alice:77', 1000, 77, [77]],
    ['root:root', 0, 0, [0]],
    ['4000000000:4000000001', 4_000_000_000, 4_000_000_001, [4_000_000_001]],
    ['12', 12, 0, [0]],
    ['0', 0, 7, [7, 4]],
  ];
  for (const [user, uid, gid, additionalGids] of cases) {
    it(`takes "${user}" for ${uid}:${gid}`, () => {
      expect(resolveUser(root, user)).to.deep.equal({ uid, gid, additionalGids });
    });
  }

  it('says who is not there', () => {
    expect(() => resolveUser(root, 'bob')).to.throw(
      'unable to find user bob: no matching entries in passwd file',
    );
    expect(() => resolveUser(root, 'alice:x')).to.throw(
      'unable to find group x: no matching entries in group file',
    );
    expect(() => resolveUser(root, '3000000000')).to.throw('uids and gids must be in range 0-2147483647');
  });

  it('needs no files for root and for numbers', () => {
    expect(resolveUser('/nowhere', '')).to.deep.equal({ uid: 0, gid: 0, additionalGids: [0] });
    expect(resolveUser('/nowhere', '1000')).to.deep.equal({ uid: 1000, gid: 0, additionalGids: [0] });
  });

  it('reads files of the tree only, and only files', () => {
    const tree = fs.mkdtempSync(path.join(os.tmpdir(), 'users-'));
    fs.mkdirSync(path.join(tree, 'etc/passwd'), { recursive: true });
    expect(() => resolveUser(tree, 'daemon')).to.throw('unable to find user daemon');
    fs.rmdirSync(path.join(tree, 'etc/passwd'));
    fs.symlinkSync('/etc/passwd', path.join(tree, 'etc/group'));
    expect(() => resolveUser(tree, 'daemon')).to.throw('unable to find user daemon');
    fs.rmSync(tree, { recursive: true });
  });
});
