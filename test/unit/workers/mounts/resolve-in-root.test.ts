import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { absolute, resolveInRoot } from '../../../../plugins/workers/shared/mounts/resolve-in-root.js';

describe('resolveInRoot', () => {
  let root: string;
  before(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'in-root-'));
    fs.mkdirSync(path.join(root, 'a/b'), { recursive: true });
    fs.writeFileSync(path.join(root, 'a/file'), '');
    for (const [name, target] of [
      ['abs', '/a'],
      ['rel', 'a/b'],
      ['up', '../../../a'],
      ['chain', 'abs/b'],
      ['gone', '/run/not/there'],
      ['loop', 'loop'],
    ] as const) {
      fs.symlinkSync(target, path.join(root, name));
    }
  });
  after(() => fs.rmSync(root, { recursive: true }));

  const cases: readonly (readonly [path: string, resolved: string, exists: boolean])[] = [
    ['/', '/', true],
    ['a/./b/', '/a/b', true],
    ['/abs/b', '/a/b', true],
    ['rel', '/a/b', true],
    ['rel/..', '/a', true],
    ['up/file', '/a/file', true],
    ['chain', '/a/b', true],
    ['../../../../a', '/a', true],
    ['nothing/below', '/nothing/below', false],
    ['nothing/../a', '/a', true],
    ['gone', '/run/not/there', false],
    ['a/file/below', '/a/file/below', false],
  ];
  for (const [from, to, exists] of cases) {
    it(`takes ${from} to ${to}${exists ? '' : ', which is not there'}`, () => {
      expect(resolveInRoot(root, from)).to.deep.equal({ path: to, exists });
    });
  }

  it('gives up on links that lead nowhere', () => {
    expect(() => resolveInRoot(root, 'loop')).to.throw('too many links');
  });
});

describe('absolute', () => {
  it('cleans without looking', () => {
    expect(['', 'a', '/a/../b//c/.', '../..'].map(absolute)).to.deep.equal(['/', '/a', '/b/c', '/']);
  });
});
