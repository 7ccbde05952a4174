import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { MountStubs } from '../../../../plugins/workers/shared/mounts/mount-stubs.js';

describe('MountStubs', () => {
  let root: string;
  const at = (...names: readonly string[]): string => path.join(root, ...names);
  const listing = (): string[] => fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();

  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'stubs-'));
    fs.mkdirSync(at('etc'));
    fs.utimesSync(at('etc'), 500, 1000);
  });
  afterEach(() => fs.rmSync(root, { recursive: true }));

  it('makes what is missing and takes it away, with the time of the directory as it was', () => {
    const stubs = new MountStubs(root, false);
    stubs.make({ path: '/etc/hosts', kind: 'file' });
    stubs.make({ path: '/etc/conf.d', kind: 'directory' });
    expect(listing()).to.deep.equal(['etc', 'etc/conf.d', 'etc/hosts']);
    stubs.remove();
    expect(listing()).to.deep.equal(['etc']);
    expect(fs.statSync(at('etc')).mtimeMs).to.equal(1_000_000);
  });

  it('leaves what was there, and what is no stub any more', () => {
    fs.writeFileSync(at('etc/old'), '');
    const stubs = new MountStubs(root, false);
    for (const name of ['old', 'written']) stubs.make({ path: `/etc/${name}`, kind: 'file' });
    stubs.make({ path: '/etc/full', kind: 'directory' });
    fs.writeFileSync(at('etc/written'), 'x');
    fs.writeFileSync(at('etc/full/x'), '');
    stubs.remove();
    expect(listing()).to.deep.equal(['etc', 'etc/full', 'etc/full/x', 'etc/old', 'etc/written']);
  });

  it('removes the parents that it made only when told to', () => {
    for (const recursive of [false, true]) {
      const stubs = new MountStubs(root, recursive);
      stubs.make({ path: '/a/b/c', kind: 'directory' });
      stubs.make({ path: '/a/b/d', kind: 'file' });
      stubs.remove();
      expect(listing()).to.deep.equal(recursive ? ['etc'] : ['a', 'a/b', 'etc']);
      fs.rmSync(at('a'), { recursive: true, force: true });
    }
  });

  it('makes the target of a link that leads nowhere, inside the tree', () => {
    fs.symlinkSync('/run/resolv.conf', at('etc/resolv.conf'));
    const stubs = new MountStubs(root, true);
    stubs.make({ path: '/etc/resolv.conf', kind: 'file' });
    expect(listing()).to.include('run/resolv.conf');
    stubs.remove();
    expect(listing()).to.deep.equal(['etc', 'etc/resolv.conf']);
  });

  it('does not follow a link that appeared where a parent was', () => {
    const stubs = new MountStubs(root, false);
    stubs.make({ path: '/etc/hosts', kind: 'file' });
    fs.renameSync(at('etc'), at('kept'));
    fs.symlinkSync('kept', at('etc'));
    stubs.remove();
    expect(listing()).to.include('kept/hosts');
  });
});
