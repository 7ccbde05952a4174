import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { LayerTree } from '../../../../../core/util/tree/layer-tree.js';
import { resolvePath } from '../../../../../core/util/tree/resolve.js';
import { walkTree } from '../../../../../core/util/tree/walk.js';
import { makeTempDir, makeTree, type TreeSpec } from '../../../../support/trees.js';

describe('LayerTree', () => {
  let temp: string;
  beforeEach(() => {
    temp = makeTempDir();
  });
  afterEach(() => fs.rmSync(temp, { recursive: true, force: true }));

  /** Topmost first. */
  const treeOf = (...specs: readonly TreeSpec[]): LayerTree =>
    new LayerTree(specs.map((spec, at) => makeTree(path.join(temp, `layer${at}`), spec)));
  const told = (tree: LayerTree): readonly string[] =>
    [...walkTree(tree, tree.root)].map(({ path: name, node }) => `${name} ${node.kind} ${node.layer}`);

  it('merges directories and takes files from the topmost layer that has them', () => {
    const tree = treeOf(
      { d: { a: '' } },
      { d: { a: '', b: '' }, f: '' },
      { d: { c: '' }, f: { hidden: '' } },
    );
    expect(told(tree)).to.deep.equal(['d dir 0', 'd/a file 0', 'd/b file 1', 'd/c file 2', 'f file 1']);
  });

  it('lets a file end a directory: what lies further below is not seen', () => {
    const tree = treeOf({ x: { top: '' } }, { x: 'file' }, { x: { bottom: '' } });
    expect(told(tree)).to.deep.equal(['x dir 0', 'x/top file 0']);
  });

  it('looks up single names as it lists them', () => {
    const tree = treeOf({ d: { a: '' } }, { d: { b: '' }, l: { link: 'd' } });
    const dir = tree.child(tree.root, 'd')!;
    expect(tree.child(dir, 'b')?.layer).to.equal(1);
    expect(tree.child(dir, 'none')).to.equal(undefined);
    expect(tree.child(tree.child(dir, 'b')!, 'below-a-file')).to.equal(undefined);
    expect(tree.childBelow(tree.root, 'l')?.kind).to.equal('symlink');
  });

  it('orders names by their bytes, not by UTF-16 units', () => {
    const names = ['z', 'a', '\uff5e', '\u{1f600}', 'a-b', 'a.b', 'B'];
    const tree = treeOf(Object.fromEntries(names.map((name) => [name, ''])));
    const expected = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(tree.children(tree.root).map((node) => node.name)).to.deep.equal(expected);
  });

  it('is an empty directory for no layers', () => {
    const tree = new LayerTree([]);
    expect([tree.children(tree.root), tree.root.stat.mode]).to.deep.equal([[], 0o040755]);
  });

  it('reads a thousand layers', () => {
    const tree = treeOf(...Array.from({ length: 1000 }, (_, at) => ({ d: { [`g${at}`]: '' } })));
    expect(tree.children(tree.child(tree.root, 'd')!)).to.have.length(1000);
    expect(resolvePath(tree, '/d/g999', { followLast: true }).node?.layer).to.equal(999);
  });

  describe('resolvePath', () => {
    const table: readonly (readonly [
      path: string,
      followLast: boolean,
      expected: string,
      exists: boolean,
    ])[] = [
      ['/', true, '/', true],
      ['/d/../d/f', true, '/d/f', true],
      ['/../../d', true, '/d', true],
      ['/abs/f', true, '/d/f', true],
      ['/abs', false, '/abs', true],
      ['/abs', true, '/d', true],
      ['/up', true, '/d/f', true],
      ['/d/back/f', true, '/d/f', true],
      ['/dangling', true, '/nowhere/at/all', false],
      ['/none/x/../y', true, '/none/y', false],
      ['/d/f/below', true, '/d/f/below', false],
    ];
    for (const [given, followLast, expected, exists] of table) {
      it(`takes ${given} to ${expected}${followLast ? '' : ', leaving the last link'}`, () => {
        const tree = treeOf(
          { abs: { link: '/d' }, up: { link: '../../../d/f' }, dangling: { link: 'nowhere/at/all' } },
          { d: { f: '', back: { link: '..//d' } } },
        );
        const resolved = resolvePath(tree, given, { followLast });
        expect([resolved.path, resolved.node !== undefined]).to.deep.equal([expected, exists]);
      });
    }

    it('gives up on links that go round', () => {
      const tree = treeOf({ a: { link: 'b' }, b: { link: 'a' } });
      expect(() => resolvePath(tree, '/a', { followLast: true })).to.throw('too many links');
    });

    it('knows the last place that exists', () => {
      const tree = treeOf({ d: { f: '' } });
      expect(resolvePath(tree, '/d/g/h', { followLast: true }).nearest.path).to.equal('/d');
    });
  });
});
