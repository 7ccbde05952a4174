import fs from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import applyLayer from '../../../core/content/layer/layer-apply.task.js';
import type { ThreadContext } from '../../../core/contracts/threads.js';
import { unpackArchive } from '../../../core/files/unpack.js';
import { LayerTree } from '../../../core/util/tree/layer-tree.js';
import { LayerWriter } from '../../../core/util/tree/layer-writer.js';
import { resolvePath } from '../../../core/util/tree/resolve.js';
import { Canary } from '../../support/hostile/canary.js';
import { cpuSince, expectRefused, survivesLater } from '../../support/hostile/refusal.js';
import { hostileLayer, hostileTar, member, record } from '../../support/hostile/tars.js';
import { hostileSeed, runs } from '../../support/hostile/values.js';

const context: ThreadContext = { throwIfAborted: () => {}, report: () => {}, ask: async () => 0 };

describe(`hostile layers and archives (HOSTILE_SEED=${hostileSeed})`, function () {
  this.timeout(120_000);
  const seed = hostileSeed;
  let canary: Canary;
  beforeEach(() => {
    canary = new Canary();
  });
  afterEach(() => canary[Symbol.dispose]());

  /** Below a layer that has links to the outside already. */
  function layers(): readonly string[] {
    const below = canary.fresh('below');
    fs.symlinkSync('../..', `${below}/link`);
    fs.symlinkSync(`${canary.inside}/../canary`, `${below}/c`);
    fs.mkdirSync(`${below}/dir`);
    fs.symlinkSync('/', `${below}/dir/link`);
    return [canary.fresh('top'), below];
  }

  async function apply(
    tar: Uint8Array,
    compression: 'none' | 'gzip',
    stack: readonly string[],
  ): Promise<boolean> {
    const file = `${canary.inside}/layer`;
    fs.writeFileSync(file, tar);
    const done = await survivesLater(async () =>
      applyLayer({ source: { file }, compression, layers: stack }, context),
    );
    canary.check();
    return done;
  }

  it('of images are unpacked or refused, and leave everything around alone', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(hostileLayer, fc.boolean(), async ({ tar, compression }, bottom) => {
        if (await apply(tar, compression, bottom ? layers().slice(0, 1) : layers())) accepted++;
      }),
      { numRuns: runs(1000), seed },
    );
    expect(accepted).to.be.above(0);
  });

  it('that ADD unpacks stay below their destination', async () => {
    await fc.assert(
      fc.asyncProperty(
        hostileTar,
        fc.constantFrom('/', '/link', '/dir/link/', '/new/..', '/c'),
        async (tar, dest) => {
          const stack = layers();
          const from = canary.fresh('from');
          fs.writeFileSync(`${from}/archive`, tar);
          const action = {
            kind: 'copy',
            src: '/archive',
            dest,
            followSymlink: true,
            attemptUnpack: true,
          } as unknown as Parameters<typeof unpackArchive>[1];
          await survivesLater(() =>
            unpackArchive('/archive', action, new LayerTree([from]), new LayerWriter(stack), undefined),
          );
          canary.check();
        },
      ),
      { numRuns: runs(400), seed },
    );
  });

  const corpus: Readonly<Record<string, Buffer>> = {
    'a file above the root': member('0', '../canary/file', Buffer.from('dead')),
    'an absolute name': member('0', '/../../canary/file', Buffer.from('dead')),
    'a link, then a file through it': Buffer.concat([
      member('2', 'out', new Uint8Array(), { linkname: '../canary' }),
      member('0', 'out/file', Buffer.from('dead')),
    ]),
    'links through links': Buffer.concat([
      member('2', 'one', new Uint8Array(), { linkname: '..' }),
      member('2', 'two', new Uint8Array(), { linkname: 'one/..' }),
      member('0', 'two/canary/file', Buffer.from('dead')),
    ]),
    'a hard link to the outside, then its content': Buffer.concat([
      member('1', 'hard', new Uint8Array(), { linkname: '../canary/file' }),
      member('0', 'hard', Buffer.from('dead')),
    ]),
    'a hard link to a link': Buffer.concat([
      member('2', 'out', new Uint8Array(), { linkname: '../canary/file' }),
      member('1', 'hard', new Uint8Array(), { linkname: 'out' }),
      member('0', 'hard', Buffer.from('dead')),
    ]),
    'a directory in the place of a link': Buffer.concat([
      member('2', 'out', new Uint8Array(), { linkname: '../canary' }),
      member('5', 'out/', new Uint8Array(), { mode: 0 }),
      member('0', 'out/file', Buffer.from('dead')),
    ]),
    'whiteouts of parents': Buffer.concat([
      member('0', '.wh...', new Uint8Array()),
      member('0', 'x/.wh..', new Uint8Array()),
      member('0', '../.wh.canary', new Uint8Array()),
    ]),
    'an opaque mark through a link': Buffer.concat([
      member('2', 'out', new Uint8Array(), { linkname: '../canary' }),
      member('0', 'out/.wh..wh..opq', new Uint8Array()),
    ]),
    'a device of the host': member('4', 'sda', new Uint8Array()),
    'a name with a NUL': Buffer.concat([
      member('x', 'pax', record(['path', 'sub/..\0x'])),
      member('6', 'y', new Uint8Array()),
    ]),
    'a name of 300,000 parts': Buffer.concat([
      member('x', 'pax', record(['path', 'a/'.repeat(300_000)])),
      member('5', 'y', new Uint8Array()),
    ]),
    'a link of 300,000 parts': Buffer.concat([
      member('x', 'pax', record(['linkpath', '../'.repeat(300_000)])),
      member('1', 'y', new Uint8Array()),
    ]),
    'two links to each other': Buffer.concat([
      member('2', 'one', new Uint8Array(), { linkname: 'two' }),
      member('2', 'two', new Uint8Array(), { linkname: 'one' }),
      member('0', 'one/x', Buffer.from('dead')),
    ]),
  };
  for (const [what, tar] of Object.entries(corpus)) {
    it(`with ${what} harm nobody`, () => apply(tar, 'none', layers()));
  }

  it('with more and more PAX records take neither time nor memory', async () => {
    // Short keys, all different: what is kept of them, or copied for each entry, would add up.
    const records = (round: number): Buffer =>
      Buffer.concat(Array.from({ length: 20_000 }, (_, i) => record([`${round}.${i}`, 'x'])));
    const rounds = Array.from({ length: 20 }, (_, round) => member('g', 'pax', records(round)));
    const files = Array.from({ length: 500 }, (_, i) => member('0', `f${i}`, new Uint8Array()));
    expect(await apply(Buffer.concat([...rounds, ...files, Buffer.alloc(1024)]), 'none', layers())).to.equal(
      true,
    );
  });

  it('that unpack to a thousand times their size are read piece by piece', async () => {
    const { gzipSync } = await import('node:zlib');
    const bomb = gzipSync(
      Buffer.concat([member('0', 'zeros', new Uint8Array(), {}, 1 << 26), Buffer.alloc(1 << 26)]),
    );
    const before = process.memoryUsage().rss;
    await apply(bomb, 'gzip', layers());
    expect(process.memoryUsage().rss - before).to.be.below(50 << 20);
  });

  it('have paths that are resolved in time, however long and crossed they are', () => {
    const [, below] = layers() as [string, string];
    fs.symlinkSync(`${'x/../'.repeat(800)}loop`, `${below}/loop`);
    const tree = new LayerTree([below]);
    const begun = process.cpuUsage();
    for (const path of ['a/'.repeat(500_000), `${'loop/'.repeat(100_000)}`]) {
      try {
        resolvePath(tree, path, { followLast: true });
      } catch (error) {
        expectRefused(error);
      }
    }
    expect(cpuSince(begun)).to.be.below(3000);
  });
});
