/**
 * Trees with whiteouts, opaque directories, devices and owners, held against overlayfs itself. Needs root.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { changesBetween } from '../../../core/content/layer/changes.js';
import { planLayer } from '../../../core/content/layer/layer-plan.js';
import { LayerUnpacker } from '../../../core/content/layer/layer-unpacker.js';
import { renderRange } from '../../../core/content/layer/render.js';
import { cutBlocks } from '../../../core/content/layer/tar-plan.js';
import type { FileAction } from '../../../core/contracts/files.js';
import { silentProgress } from '../../../core/contracts/progress.js';
import { silentTracing } from '../../../core/contracts/tracing.js';
import { LocalFileEngine } from '../../../core/files/local-file-engine.js';
import { makeWhiteout, mknod } from '../../../core/util/linux/nodes.js';
import { getXattr, setXattr } from '../../../core/util/linux/xattr.js';
import { TarReader } from '../../../core/util/tar/tar-reader.js';
import { LayerTree } from '../../../core/util/tree/layer-tree.js';
import { walkTree } from '../../../core/util/tree/walk.js';
import { dirRef, writableDirRef } from '../../support/dir-refs.js';
import { InlineThreads } from '../../support/inline-threads.js';
import { makeTempDir, makeTree, type TreeSpec, tellTree } from '../../support/trees.js';

const signal = new AbortController().signal;

describe('trees on overlayfs', () => {
  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });

  let temp: string;
  let dirs = 0;
  const mounted: string[] = [];
  beforeEach(() => {
    temp = makeTempDir();
  });
  afterEach(() => {
    for (const at of mounted.splice(0)) execFileSync('umount', [at]);
    fs.rmSync(temp, { recursive: true, force: true });
  });

  const tree = (spec: TreeSpec): string => makeTree(path.join(temp, `dir${dirs++}`), spec);
  /** A mount of the layers, topmost first; writable when `upper` is given. */
  const mount = (layers: readonly string[], upper?: string): string => {
    const at = tree({});
    const work = upper ? `,upperdir=${upper},workdir=${tree({})}` : '';
    const lower = layers.length > 1 || upper ? layers : [...layers, tree({})];
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower.join(':')}${work}`, at]);
    mounted.push(at);
    return at;
  };
  const unmount = (at: string): void => {
    mounted.splice(mounted.indexOf(at), 1);
    execFileSync('umount', [at]);
  };
  /** Changes made through a real overlay, as a container would make them. */
  const change = (lower: readonly string[], script: string): string => {
    const upper = tree({});
    const at = mount(lower, upper);
    execFileSync('sh', ['-ec', script], { cwd: at });
    unmount(at);
    return upper;
  };
  const merged = (layers: readonly string[]): readonly string[] => {
    const layerTree = new LayerTree(layers);
    return [...walkTree(layerTree, layerTree.root)].map(({ path: name, node }) => {
      const { stat } = node;
      return [
        name,
        stat.mode,
        stat.uid,
        stat.gid,
        node.kind === 'dir' ? 0 : stat.size,
        stat.rdev,
        stat.mtimeNs,
      ].join(' ');
    });
  };
  const onDisk = (dir: string): readonly string[] => merged([dir]);

  const base: TreeSpec = {
    'a.txt': 'a',
    dir: { one: '1', two: '2', sub: { three: '3' } },
    gone: { x: '', y: { z: '' } },
    link: { link: 'dir/one' },
    twin: 'twin',
  };
  const script = `
    rm a.txt; rm -rf gone; mkdir gone; echo new > gone/new
    rm -rf dir/sub; ln twin twin2; echo more >> dir/one; chmod 700 dir; chown 12:34 dir/two
    mknod null c 1 3; mkfifo pipe; mkdir -p brand/new; echo x > brand/new/file; mv link brand/`;

  it('reads whiteouts, opaque directories and metadata as the kernel shows them', () => {
    const lower = tree(base);
    const layers = [change([lower], script), lower];
    expect(merged(layers)).to.deep.equal(onDisk(mount(layers)));
  });

  it('reads a stack of a hundred layers as the kernel shows it', () => {
    let layers: readonly string[] = [tree(base)];
    for (let at = 0; at < 100; at++) {
      const spec: TreeSpec =
        at % 3 === 0 ? { [`f${at}`]: '', dir: { [`g${at}`]: '' } } : { dir: { one: `${at}` } };
      layers = [tree(spec), ...layers];
    }
    makeWhiteout(path.join(layers[50]!, 'a.txt'));
    expect(merged(layers)).to.deep.equal(onDisk(mount(layers)));
  });

  const pack = (lower: readonly string[], upper: readonly string[]): Buffer => {
    const items = planLayer(changesBetween(lower, upper), { sourceDateEpoch: undefined });
    return Buffer.concat([...cutBlocks(items, 10_000, 0)].map((block) => Buffer.from(renderRange(block))));
  };
  const unpack = (layer: Buffer, layers: readonly string[]): void => {
    const unpacker = new LayerUnpacker(layers);
    const reader = new TarReader(unpacker);
    reader.push(layer);
    reader.end();
    unpacker.finish();
  };
  const cut = (lines: readonly string[]): readonly string[] =>
    lines.map((line) => line.replace(/\d{9}$/, ''));

  it('carries any change over in a layer, onto overlays and onto whole trees', () => {
    const lower = tree(base);
    const upper = change([lower], script);
    const layer = pack([lower], [upper, lower]);
    const expected = cut(merged([upper, lower]));

    const onOverlay = tree({});
    unpack(layer, [onOverlay, lower]);
    expect(cut(merged([onOverlay, lower]))).to.deep.equal(expected);
    expect(cut(onDisk(mount([onOverlay, lower])))).to.deep.equal(expected);

    const whole = path.join(temp, 'whole');
    execFileSync('cp', ['-a', lower, whole]);
    unpack(layer, [whole]);
    expect(cut(onDisk(whole))).to.deep.equal(expected);
  });

  it('says the same whether it reads one layer or walks two trees', () => {
    const lower = tree(base);
    // A new name for an unchanged file is told by the walk alone, which reports the unchanged name too.
    const upper = change([lower], script.replace('ln twin twin2', 'rm twin'));
    const whole = path.join(temp, 'whole');
    execFileSync('cp', ['-a', mount([upper, lower]), whole]);
    expect(pack([lower], [whole]).equals(pack([lower], [upper, lower]))).to.equal(true);
  });

  it('leaves out a whiteout of what is not below', () => {
    const lower = tree({});
    const upper = tree({ kept: '' });
    makeWhiteout(path.join(upper, 'never-there'));
    expect(pack([lower], [upper, lower]).includes('never-there')).to.equal(false);
  });

  it('keeps capabilities and no other attribute in a layer', () => {
    const upper = tree({ f: '' });
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    setXattr(path.join(upper, 'f'), 'security.capability', capability);
    setXattr(path.join(upper, 'f'), 'user.note', Buffer.from('n'));
    const target = tree({});
    unpack(pack([], [upper]), [target]);
    const at = path.join(target, 'f');
    expect(Buffer.from(getXattr(at, 'security.capability')!)).to.deep.equal(capability);
    expect(getXattr(at, 'user.note')).to.equal(undefined);
  });

  describe('file actions', () => {
    const engine = new LocalFileEngine({ threads: new InlineThreads(), tracing: silentTracing });
    const apply = (layers: readonly string[], action: FileAction, source?: string): Promise<void> =>
      engine.apply(
        writableDirRef(...layers),
        [{ action, source: source ? dirRef(source) : undefined }],
        silentProgress,
        signal,
      );
    const rm = (at: string): FileAction => ({
      kind: 'rm',
      path: at,
      allowNotFound: false,
      allowWildcard: false,
    });
    const mkdir = (at: string): FileAction => {
      return { kind: 'mkdir', path: at, mode: 0o755, makeParents: true, timestamp: 0n };
    };
    const copy = (src: string, dest: string, more: object = {}): FileAction => ({
      kind: 'copy',
      src,
      dest,
      followSymlink: true,
      dirCopyContents: true,
      attemptUnpack: false,
      createDestPath: true,
      allowWildcard: true,
      allowEmptyWildcard: false,
      timestamp: undefined,
      includePatterns: [],
      excludePatterns: [],
      requiredPaths: [],
      alwaysReplaceExistingDestPaths: false,
      ...more,
    });

    it('delete what is below with whiteouts, and hide it for good behind a new directory', async () => {
      const lower = tree(base);
      const top = tree({});
      const layers = [top, lower];
      await apply(layers, rm('/a.txt'));
      await apply(layers, rm('/gone'));
      await apply(layers, mkdir('/gone'));
      await apply(layers, rm('/dir/sub/three'));
      expect(tellTree(top)).to.deep.equal({
        'a.txt': 'whiteout',
        dir: 'dir',
        'dir/sub': 'dir',
        'dir/sub/three': 'whiteout',
        gone: 'dir',
      });
      expect(tellTree(mount(layers))).to.deep.equal({
        dir: 'dir',
        'dir/one': '1',
        'dir/sub': 'dir',
        'dir/two': '2',
        gone: 'dir',
        link: '-> dir/one',
        twin: 'twin',
      });
    });

    it('leave the lower layers as they were', async () => {
      const lower = tree(base);
      fs.chownSync(path.join(lower, 'dir'), 12, 34);
      const before = merged([lower]);
      const top = tree({});
      await apply(
        [top, lower],
        copy('/', '/dir', { owner: { user: { id: 5 } } }),
        tree({ one: 'new', sub: { n: '' } }),
      );
      expect(merged([lower])).to.deep.equal(before);
      const { uid, gid } = fs.statSync(path.join(top, 'dir'));
      expect([uid, gid, tellTree(top)]).to.deep.equal([
        12,
        34,
        { dir: 'dir', 'dir/one': 'new', 'dir/sub': 'dir', 'dir/sub/n': '' },
      ]);
    });

    it('copy devices, pipes, owners, set-id bits and attributes', async () => {
      const source = tree({ suid: 'x', dir: { f: '' } });
      mknod(path.join(source, 'sda'), 0o060660, 0x800n);
      mknod(path.join(source, 'pipe'), 0o010600);
      fs.chownSync(path.join(source, 'suid'), 1000, 1001);
      fs.chmodSync(path.join(source, 'suid'), 0o4711);
      fs.chownSync(path.join(source, 'dir'), 7, 8);
      setXattr(path.join(source, 'dir/f'), 'user.note', Buffer.from('n'));
      const top = tree({});
      await apply([top], copy('/', '/x'), source);
      expect(onDisk(path.join(top, 'x'))).to.deep.equal(onDisk(source));
      expect(Buffer.from(getXattr(path.join(top, 'x/dir/f'), 'user.note')!).toString()).to.equal('n');
      const owned = tree({});
      await apply([owned], copy('/suid', '/s', { owner: { user: { id: 42 } } }), source);
      const { uid, gid, mode } = fs.statSync(path.join(owned, 's'));
      expect([uid, gid, mode & 0o7777]).to.deep.equal([42, 42, 0o4711]);
    });

    for (const [name, args] of [
      ['plain', '-cf'],
      ['gzip', '-czf'],
      ['bzip2', '-cjf'],
      ['xz', '-cJf'],
      ['zstd', '--zstd -cf'],
    ] as const) {
      it(`unpack ${name} archives with their owners`, async () => {
        const content = tree({ d: { f: 'f', l: { link: '/d/f' } }, h: { same: 'd/f' } });
        fs.chownSync(path.join(content, 'd'), 7, 8);
        const source = tree({});
        execFileSync('tar', [...args.split(' '), path.join(source, 'a.tar'), '-C', content, 'd', 'h']);
        const top = tree({});
        await apply([top], copy('/a.tar', '/x/', { attemptUnpack: true }), source);
        expect(cut(onDisk(path.join(top, 'x')))).to.deep.equal(cut(onDisk(content)));
      });
    }

    it('copy a file that only looks like an archive', async () => {
      const top = tree({});
      await apply(
        [top],
        copy('/a.tar.gz', '/x/', { attemptUnpack: true }),
        tree({ 'a.tar.gz': '\x1f\x8b\x08 no' }),
      );
      expect(Object.keys(tellTree(top))).to.deep.equal(['x', 'x/a.tar.gz']);
    });
  });
});
