import fs from 'node:fs';
import os from 'node:os';
import { expect } from 'chai';
import tarStream from 'tar-stream';
import { LocalTrees } from '../../../../core/content/trees.js';
import type { ResultTree } from '../../../../core/contracts/session.js';
import { sha256 } from '../../../../core/util/digest.js';
import { goModeOf } from '../../../../core/util/gofs/mode.js';
import { InlineThreads } from '../../../support/inline-threads.js';
import { makeTempDir, makeTree } from '../../../support/trees.js';

const signal = new AbortController().signal;

describe('LocalTrees', () => {
  let upper: string;
  let lower: string;
  let threads: InlineThreads;
  let trees: LocalTrees;
  before(() => {
    upper = makeTree(makeTempDir(), { d: { new: 'n' }, abs: { link: '/d/new' }, same: { same: 'd/new' } });
    lower = makeTree(makeTempDir(), { d: { old: 'o' }, big: 'b'.repeat(5 << 20) });
  });
  beforeEach(() => {
    threads = new InlineThreads();
    trees = new LocalTrees({ threads });
  });
  after(() => {
    for (const dir of [upper, lower]) fs.rmSync(dir, { recursive: true });
  });

  const treeOf = (prefix: string, more: Partial<ResultTree> = {}): ResultTree => ({
    stack: { layers: [upper, lower], writable: false },
    prefix,
    files: [],
    ...more,
  });
  const listing = async (given: readonly ResultTree[]): Promise<readonly string[]> => {
    const extract = tarStream.extract();
    const feeding = (async () => {
      for await (const chunk of trees.tar(given, signal)) extract.write(chunk);
      extract.end(Buffer.alloc(0));
    })();
    const found: string[] = [];
    for await (const entry of extract) {
      const { name, type, linkname, mtime, size } = entry.header;
      found.push([type, name, linkname ? `-> ${linkname}` : size, mtime!.getTime() / 1000].join(' '));
      entry.resume();
    }
    await feeding;
    return found;
  };

  it('writes merged trees below their prefixes, links kept inside, with further files behind', async () => {
    const stat = {
      path: 'note.json',
      mode: goModeOf(0o100644),
      uid: 0,
      gid: 0,
      size: 2,
      modTime: 0n,
      linkname: '',
      devmajor: 0,
      devminor: 0,
      xattrs: {},
    };
    const files = [{ stat, data: Buffer.from('{}') }];
    expect(await listing([treeOf('linux_amd64', { files, sourceDateEpoch: 9 })])).to.deep.equal([
      'directory linux_amd64/ 0 9',
      'symlink linux_amd64/abs -> /linux_amd64/d/new 9',
      'file linux_amd64/big 5242880 9',
      'directory linux_amd64/d/ 0 9',
      'file linux_amd64/d/new 1 9',
      'file linux_amd64/d/old 1 9',
      'link linux_amd64/same -> linux_amd64/d/new 9',
      'file linux_amd64/note.json 2 9',
    ]);
  });

  it('makes no more than its reader takes', async () => {
    const reader = trees.tar([treeOf('')], signal)[Symbol.asyncIterator]();
    await reader.next();
    await reader.return?.(undefined);
    const blocks = threads.ran.filter((task) => task === 'layer-block');
    expect(blocks.length).to.be.at.most(os.availableParallelism() + 1);
  });

  it('hashes a stream on its way, and not before its end', async () => {
    const { data, digest } = trees.hashing(
      (async function* () {
        yield Buffer.from('ab');
        yield Buffer.from('c');
      })(),
    );
    expect(digest).to.throw('when it has been read to its end');
    for await (const _ of data);
    expect(digest()).to.equal(sha256('abc'));
  });
});
