import fs from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import type { FileStat } from '../../../core/contracts/refs.js';
import { encodeList } from '../../../core/transfer/received-list.js';
import { TreeReceiver } from '../../../core/transfer/tree-receiver.js';
import { goMode } from '../../../core/util/gofs/mode.js';
import { FrameReader } from '../../../core/util/grpc-h2/frames.js';
import { decodePacket, encodePacket } from '../../../proto/fsutil.js';
import { Canary } from '../../support/hostile/canary.js';
import { mutated } from '../../support/hostile/ops.js';
import { survives } from '../../support/hostile/refusal.js';
import { hostileSeed, nastyInteger, nastyPath, nastyText, runs } from '../../support/hostile/values.js';

const { dir, symlink, device, charDevice, fifo, socket, irregular, setuid } = goMode;
const modes = [
  0,
  0,
  0,
  dir,
  dir,
  symlink,
  device,
  device | charDevice,
  fifo,
  socket,
  irregular,
  dir | symlink,
  setuid,
];
const stat = fc
  .record({
    path: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          'a',
          'a/a',
          'a/b',
          'a/link',
          'b',
          'b/a',
          'canary',
          'dir',
          'link',
          'link/a',
        ),
      },
      { weight: 1, arbitrary: nastyPath },
    ),
    type: fc.constantFrom(...modes),
    permissions: fc.oneof(fc.constant(0o755), fc.nat(0o777)),
    uid: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2 ** 32 - 1) }),
    size: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: nastyInteger }),
    modTime: fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    linkname: fc.oneof(
      { weight: 3, arbitrary: fc.constant('') },
      fc.constantFrom('a', '../canary/file', '/etc/passwd'),
      nastyPath,
    ),
    devmajor: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: nastyInteger }),
    xattrs: fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      fc
        .tuple(
          fc.constantFrom(
            'user.a',
            'trusted.overlay.opaque',
            'x',
            'security.capability',
            'a\0b',
            '__proto__',
          ),
          nastyText,
        )
        .map(([name, value]) => Object.fromEntries([[name, Buffer.from(value)]])),
    ),
  })
  .map(
    ({ type, permissions, uid, ...rest }): FileStat => ({
      ...rest,
      mode: (type | permissions) >>> 0,
      uid,
      gid: uid,
      devminor: rest.devmajor,
    }),
  );

type Event =
  | { readonly kind: 'entry'; readonly stat: FileStat }
  | { readonly kind: 'data'; readonly id: number; readonly data: Uint8Array }
  | { readonly kind: 'listed' };
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: stat.map((each): Event => ({ kind: 'entry', stat: each })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.oneof(fc.nat(4), nastyInteger), fc.uint8Array({ maxLength: 3 }))
      .map(([id, data]): Event => ({ kind: 'data', id, data })),
  },
  { weight: 1, arbitrary: fc.constant<Event>({ kind: 'listed' }) },
);

const sorted = (events: readonly Event[]): readonly Event[] => {
  const entries = events.flatMap((each) => (each.kind === 'entry' ? [each] : []));
  entries.sort((a, b) => (a.stat.path < b.stat.path ? -1 : 1));
  return [...entries, ...events.filter(({ kind }) => kind !== 'entry')];
};

describe(`hostile transfers (HOSTILE_SEED=${hostileSeed})`, function () {
  this.timeout(120_000);
  const seed = hostileSeed;
  let canary: Canary;
  beforeEach(() => {
    canary = new Canary();
  });
  afterEach(() => canary[Symbol.dispose]());

  function receive(events: readonly Event[], mode: 'fresh' | 'merge' | 'mirror', based: boolean): void {
    const dest = canary.fresh('dest');
    if (mode !== 'fresh') {
      fs.symlinkSync('../../canary', `${dest}/link`);
      fs.symlinkSync(`${canary.inside}/..`, `${dest}/a`);
      fs.mkdirSync(`${dest}/dir`);
    }
    const old = canary.fresh('old');
    fs.writeFileSync(`${old}/a`, 'x');
    const first = events.find((each) => each.kind === 'entry');
    const base = based && first ? { base: { dir: old, list: encodeList([first.stat]) } } : {};
    using receiver = new TreeReceiver({ dest, mode, digests: true, differ: 'none', ...base }, () => {});
    const openIfDue = (): void => {
      if (receiver.waiting) receiver.open(dest);
    };
    openIfDue();
    for (const each of events) {
      if (each.kind === 'entry') receiver.entry(each.stat);
      else if (each.kind === 'data') receiver.data(each.id, each.data);
      else receiver.listed();
      openIfDue();
    }
    if (receiver.complete) receiver.finish();
  }

  it('are received or refused, and leave everything around alone', () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 1, maxLength: 10 }),
        fc.constantFrom('fresh', 'merge', 'mirror'),
        fc.boolean(),
        fc.boolean(),
        (events, mode, based, ordered) => {
          if (survives(() => receive(ordered ? sorted(events) : events, mode, based))) accepted++;
          canary.check();
        },
      ),
      { numRuns: runs(1500), seed },
    );
    expect(accepted).to.be.above(0);
  });

  it('are packets, or are no packets, whatever the bytes', () => {
    const packet = fc.oneof(
      stat.map((each) => encodePacket({ type: 'stat', stat: each })),
      fc.tuple(fc.nat(), fc.uint8Array()).map(([id, data]) => encodePacket({ type: 'data', id, data })),
    );
    fc.assert(
      fc.property(fc.oneof(packet, mutated(packet), fc.uint8Array({ maxLength: 100 })), (bytes) => {
        survives(() => decodePacket(Buffer.from(bytes)));
      }),
      { numRuns: runs(1000), seed },
    );
  });

  it('are frames, or are no frames, however they are cut', () => {
    const frame = fc
      .tuple(
        fc.constantFrom(0, 0, 0, 1, 255),
        fc.oneof(fc.nat(20), nastyInteger),
        fc.uint8Array({ maxLength: 30 }),
      )
      .map(([flag, length, body]) => {
        const header = Buffer.alloc(5);
        header[0] = flag;
        header.writeUInt32BE(((length % 2 ** 32) + 2 ** 32) % 2 ** 32, 1);
        return Buffer.concat([header, body]);
      });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.integer({ min: 1, max: 9 }), (frames, step) => {
        survives(() => {
          const reader = new FrameReader(1 << 10);
          const bytes = Buffer.concat(frames);
          for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
        });
      }),
      { numRuns: runs(1000), seed },
    );
  });

  const file = (path: string, more: Partial<FileStat> = {}): FileStat => ({
    path,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 1,
    modTime: 0n,
    linkname: '',
    devmajor: 0,
    devminor: 0,
    xattrs: {},
    ...more,
  });
  const corpus: Readonly<Record<string, readonly Event[]>> = {
    'a path with ..': [{ kind: 'entry', stat: file('../canary/file') }],
    'a path below a link': [
      { kind: 'entry', stat: file('l', { mode: symlink | 0o777, linkname: '../../canary' }) },
      { kind: 'entry', stat: file('l/file') },
    ],
    'a path below a file': [
      { kind: 'entry', stat: file('f') },
      { kind: 'entry', stat: file('f/g') },
    ],
    'a name twice': [
      { kind: 'entry', stat: file('f') },
      { kind: 'entry', stat: file('f') },
    ],
    'names out of order': [
      { kind: 'entry', stat: file('b') },
      { kind: 'entry', stat: file('a') },
    ],
    'a hard link to the outside': [{ kind: 'entry', stat: file('h', { linkname: '../canary/file' }) }],
    'a hard link to a link': [
      { kind: 'entry', stat: file('a', { mode: symlink | 0o777, linkname: '../../canary/file' }) },
      { kind: 'entry', stat: file('h', { linkname: 'a' }) },
    ],
    'content that nobody asked for': [{ kind: 'data', id: 7, data: Buffer.from('x') }],
    'content of a folder': [
      { kind: 'entry', stat: file('d', { mode: (dir | 0o755) >>> 0 }) },
      { kind: 'data', id: 0, data: Buffer.from('x') },
    ],
    'a negative size': [{ kind: 'entry', stat: file('f', { size: -5 }) }],
    'an entry after the end of the list': [{ kind: 'listed' }, { kind: 'entry', stat: file('f') }],
  };
  for (const [what, events] of Object.entries(corpus)) {
    it(`with ${what} are refused`, () => {
      for (const mode of ['fresh', 'merge', 'mirror'] as const) {
        expect(survives(() => receive(events, mode, false))).to.equal(false);
        canary.check();
      }
    });
  }

  it('of many files that never end hold little in memory', () => {
    const dest = canary.fresh('dest');
    using receiver = new TreeReceiver({ dest, mode: 'fresh', digests: false }, () => {});
    receiver.open(dest);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 1500; i++) {
      receiver.entry(file(`f${String(i).padStart(5, '0')}`, { size: 1 }));
      receiver.data(i, Buffer.alloc(200_000, 1));
    }
    expect(process.memoryUsage().rss - before).to.be.below(150 << 20);
  });
});
