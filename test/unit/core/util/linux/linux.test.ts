import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { copyData } from '../../../../../core/util/linux/copy.js';
import { tryLock } from '../../../../../core/util/linux/lock.js';
import { mount, parseMountOptions } from '../../../../../core/util/linux/mount.js';
import {
  deviceMajor,
  deviceMinor,
  isWhiteout,
  makeDevice,
  makeWhiteout,
  mkfifo,
} from '../../../../../core/util/linux/nodes.js';
import { openIn, resolveFlags } from '../../../../../core/util/linux/open-in.js';
import { isErrno, SystemError } from '../../../../../core/util/linux/system-error.js';
import { setTimes } from '../../../../../core/util/linux/times.js';
import { getXattr, listXattrs, removeXattr, setXattr } from '../../../../../core/util/linux/xattr.js';
import { makeTempDir } from '../../../../support/trees.js';

describe('system calls', () => {
  let dir: string;
  const at = (...names: readonly string[]): string => path.join(dir, ...names);
  beforeEach(() => {
    dir = makeTempDir();
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  const failure = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return error;
    }
  };

  it('fail with the errno’s name, the call and the path', () => {
    const error = failure(() => mkfifo(at('none', 'pipe'), 0o600)) as SystemError;
    expect(error).to.include({ code: 'ENOENT', syscall: 'mknod', path: at('none', 'pipe') });
    expect(error.message).to.equal(`ENOENT: no such file or directory, mknod '${at('none', 'pipe')}'`);
    expect([isErrno(error, 'EPERM', 'ENOENT'), isErrno(new Error('x'), 'ENOENT')]).to.deep.equal([
      true,
      false,
    ]);
  });

  it('name both paths of a call that has two', () => {
    const error = failure(() => mount('a', at('none'), 'tmpfs', 0));
    expect(error)
      .to.be.instanceOf(SystemError)
      .and.include({ path: 'a', dest: at('none') });
  });

  it('set times to the nanosecond, also of a link and before 1970', () => {
    fs.symlinkSync('nowhere', at('link'));
    setTimes(at('link'), 5n, -1n);
    const before = fs.lstatSync(at('link'), { bigint: true });
    setTimes(at('link'), undefined, 1_700_000_000_123_456_789n);
    const after = fs.lstatSync(at('link'), { bigint: true });
    expect([before.atimeNs, before.mtimeNs, after.atimeNs, after.mtimeNs]).to.deep.equal([
      5n,
      -1n,
      5n,
      1_700_000_000_123_456_789n,
    ]);
  });

  it('keep extended attributes', () => {
    fs.writeFileSync(at('file'), '');
    setXattr(at('file'), 'user.a', Buffer.from([0, 1, 255]));
    setXattr(at('file'), 'user.empty', new Uint8Array());
    expect([...listXattrs(at('file'))].sort()).to.deep.equal(['user.a', 'user.empty']);
    expect([...getXattr(at('file'), 'user.a')!]).to.deep.equal([0, 1, 255]);
    removeXattr(at('file'), 'user.a');
    removeXattr(at('file'), 'user.a');
    expect(getXattr(at('file'), 'user.a')).to.equal(undefined);
    expect(failure(() => getXattr(at('none'), 'user.a'))).to.include({ code: 'ENOENT' });
  });

  it('make whiteouts and pipes', () => {
    makeWhiteout(at('gone'));
    mkfifo(at('pipe'), 0o640);
    expect([isWhiteout(fs.lstatSync(at('gone'))), isWhiteout(fs.lstatSync(at('pipe')))]).to.deep.equal([
      true,
      false,
    ]);
    expect(fs.lstatSync(at('pipe')).isFIFO()).to.equal(true);
  });

  it('pack device numbers as the C library does', () => {
    const pairs = [
      [0, 0],
      [8, 1],
      [259, 70_000],
      [4095, 255],
      [70_000, 4_000_000_000],
    ] as const;
    for (const [major, minor] of pairs) {
      const device = makeDevice(major, minor);
      expect([deviceMajor(device), deviceMinor(device)]).to.deep.equal([major, minor]);
    }
    expect(makeDevice(8, 1)).to.equal(0x801n);
  });

  it('copy data, also of files that claim to be empty', () => {
    fs.writeFileSync(at('from'), Buffer.alloc(300_000, 'abc'));
    const copy = (from: string, to: string): Buffer => {
      const [source, target] = [fs.openSync(from, 'r'), fs.openSync(to, 'w')];
      copyData(source, target, fs.fstatSync(source).size);
      fs.closeSync(source);
      fs.closeSync(target);
      return fs.readFileSync(to);
    };
    expect(copy(at('from'), at('to')).equals(fs.readFileSync(at('from')))).to.equal(true);
    expect(copy('/proc/self/mountinfo', at('proc')).length).to.be.greaterThan(0);
  });

  it('lock a file for one at a time', () => {
    using first = tryLock(at('lock'));
    expect([first === undefined, tryLock(at('lock'))]).to.deep.equal([false, undefined]);
    first?.[Symbol.dispose]();
    using second = tryLock(at('lock'), { shared: true });
    using third = tryLock(at('lock'), { shared: true });
    expect([second, third].includes(undefined)).to.equal(false);
  });

  it('open a path without leaving the directory', () => {
    fs.mkdirSync(at('root'));
    fs.writeFileSync(at('root', 'file'), 'inside');
    fs.symlinkSync('/../../file', at('root', 'link'));
    const root = fs.openSync(at('root'), 'r');
    const found = openIn(root, 'link', fs.constants.O_RDONLY, { resolve: resolveFlags.inRoot });
    expect(fs.readFileSync(found, 'utf8')).to.equal('inside');
    fs.closeSync(found);
    expect(
      failure(() => openIn(root, 'link', fs.constants.O_RDONLY, { resolve: resolveFlags.beneath })),
    ).to.include({ code: 'EXDEV' });
    fs.closeSync(root);
  });
});

describe('parseMountOptions', () => {
  it('sorts flags from what the file system reads', () => {
    expect(parseMountOptions(['ro', 'nosuid', 'lowerdir=/a:/b', 'userxattr'])).to.deep.equal({
      flags: 0x3,
      data: 'lowerdir=/a:/b,userxattr',
    });
  });
  it('lets the last of two opposite options win', () => {
    expect(parseMountOptions(['ro', 'rbind', 'rw', 'defaults'])).to.deep.equal({ flags: 0x5000, data: '' });
  });
});
