import fs from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { silentProgress } from '../../../../core/contracts/progress.js';
import type { ImmutableRef, PruneOptions, RecordType } from '../../../../core/contracts/refs.js';
import type { Snapshotter } from '../../../../core/contracts/snapshotter.js';
import { silentTracing } from '../../../../core/contracts/tracing.js';
import { MemoryKv } from '../../../../core/kv/memory-kv.js';
import { bytesToKeep, byWorth } from '../../../../core/snapshot/prune-plan.js';
import { LocalRefStore } from '../../../../core/snapshot/ref-store.js';
import { fakeContent } from '../../../support/fake-content.js';
import { FakeDiffer } from '../../../support/fake-differ.js';
import { everything, lazyLayers, never, RefStoreHome } from '../../../support/ref-store-home.js';
import { makeTempDir } from '../../../support/trees.js';

async function prune(refs: LocalRefStore, options: Partial<PruneOptions> = {}): Promise<readonly string[]> {
  const gone: string[] = [];
  for await (const { description } of refs.prune({ ...everything, ...options }, never))
    gone.push(description);
  return gone;
}

describe('bytesToKeep', () => {
  const rows: readonly (readonly [
    string,
    Partial<PruneOptions>,
    total: number,
    free: number,
    keep: number,
  ])[] = [
    ['no limits: no aim', {}, 100, 50, 0],
    ['a most', { maxUsedSpace: 40 }, 100, 50, 40],
    ['a most below what is reserved', { maxUsedSpace: 40, reservedSpace: 60 }, 100, 50, 60],
    ['only what is reserved', { reservedSpace: 60 }, 100, 50, 60],
    ['enough free space keeps everything', { minFreeSpace: 50 }, 100, 50, 100],
    ['too little free space', { minFreeSpace: 70 }, 100, 50, 80],
    ['the smaller of most and free', { minFreeSpace: 70, maxUsedSpace: 30 }, 100, 50, 30],
    ['the smaller of free and most', { minFreeSpace: 90, maxUsedSpace: 70 }, 100, 50, 60],
    ['free space never goes below what is reserved', { minFreeSpace: 140, reservedSpace: 30 }, 100, 50, 30],
    ['a most with enough free space', { minFreeSpace: 10, maxUsedSpace: 30 }, 100, 50, 30],
  ];
  for (const [name, options, total, free, keep] of rows) {
    it(name, () => {
      expect(bytesToKeep(total, free, { ...everything, ...options })).to.equal(keep);
    });
  }
});

describe('byWorth', () => {
  it('lets go first of what was used least and longest ago', () => {
    const candidate = (name: string, lastUsedAt: number | undefined, usageCount: number) => ({
      name,
      record: { createdAt: 0, id: name },
      usage: lastUsedAt === undefined ? { usageCount } : { lastUsedAt, usageCount },
    });
    const order = byWorth([
      candidate('recent, often', 90, 9),
      candidate('old, once', 10, 1),
      candidate('never', undefined, 0),
      candidate('recent, once', 80, 1),
      candidate('old, often', 20, 9),
    ]);
    expect(order.map(({ name }) => name)).to.deep.equal([
      'never',
      'old, once',
      'recent, once',
      'old, often',
      'recent, often',
    ]);
  });
});

describe('prune', () => {
  let root: string;
  let count = 0;
  let home: RefStoreHome;
  before(() => {
    root = makeTempDir();
  });
  after(() => fs.rm(root, { recursive: true }));
  beforeEach(async () => {
    home = await RefStoreHome.open(path.join(root, `${count++}`));
  });

  it('removes children before what they stand on, with their snapshots', async () => {
    const base = await home.commit(undefined, { a: '1' });
    const child = await home.commit(base, { b: '1' });
    await base[Symbol.asyncDispose]();
    await child[Symbol.asyncDispose]();
    expect(await prune(home.refs)).to.deep.equal(['b', 'a']);
    expect([await home.snapshotter.list(), await home.refs.usage([])]).to.deep.equal([[], []]);
  });

  it('leaves what is in use, and what that stands on', async () => {
    const base = await home.commit(undefined, { a: '1' });
    await using _used = await home.commit(base, { b: '1' });
    const idle = await home.commit(base, { c: '1' });
    await base[Symbol.asyncDispose]();
    await idle[Symbol.asyncDispose]();
    expect(await prune(home.refs)).to.deep.equal(['c']);
  });

  it('leaves what somebody holds, until it is released', async () => {
    const ref = await home.commit(undefined, { a: '1' });
    await home.refs.hold(ref.id, 'someone');
    await ref[Symbol.asyncDispose]();
    expect(await prune(home.refs)).to.deep.equal([]);
    await home.refs.release(ref.id, 'someone');
    expect(await prune(home.refs)).to.deep.equal(['a']);
  });

  it('leaves internal and frontend records unless all may go', async () => {
    for (const type of ['internal', 'frontend', 'regular', 'source.local'] as const) {
      await (await home.commit(undefined, { [type]: '1' }, { type }))[Symbol.asyncDispose]();
    }
    expect([...(await prune(home.refs, { all: false }))].sort()).to.deep.equal(['regular', 'source.local']);
    expect([...(await prune(home.refs))].sort()).to.deep.equal(['frontend', 'internal']);
  });

  it('leaves what was used within the time to keep', async () => {
    await (await home.commit(undefined, { a: '1' }))[Symbol.asyncDispose]();
    expect(await prune(home.refs, { keepDurationMs: 3600_000 })).to.deep.equal([]);
    expect(await prune(home.refs, { keepDurationMs: -1 })).to.deep.equal(['a']);
  });

  it('removes what its filters match, any of them', async () => {
    for (const name of ['a', 'b', 'c'])
      await (await home.commit(undefined, { [name]: '1' }))[Symbol.asyncDispose]();
    const gone = await prune(home.refs, { filter: ['description==a', 'description~=^c'] });
    expect([...gone].sort()).to.deep.equal(['a', 'c']);
  });

  it('removes retained refs that nobody has', async () => {
    const mount = await home.write(undefined, { a: '1' }, { type: 'exec.cachemount', index: 'x' });
    await mount.retain();
    expect(await prune(home.refs)).to.deep.equal([]);
    await mount[Symbol.asyncDispose]();
    expect(await prune(home.refs)).to.deep.equal(['a']);
    expect(await home.refs.findMutable('x')).to.equal(undefined);
  });

  it('removes blobs that no other record names', async () => {
    const gzip = { compression: { type: 'gzip' }, mediaTypes: 'oci' } as const;
    const [one, two] = [await home.commit(undefined, { a: '1' }), await home.commit(undefined, { a: '1' })];
    const blob = (await one.layers(gzip, silentProgress, never)).layers[0]!.descriptor.digest;
    await two.layers(gzip, silentProgress, never);
    await one[Symbol.asyncDispose]();
    await prune(home.refs);
    expect(await home.content.info(blob)).not.to.equal(undefined);
    await two[Symbol.asyncDispose]();
    await prune(home.refs);
    expect(await home.content.info(blob)).to.equal(undefined);
  });

  it('leaves blobs that somebody who works since then may be about to name', async () => {
    const blob = await home.content.writeBlob(Buffer.from('a manifest, say'));
    const { createdAt } = (await home.content.info(blob))!;
    await prune(home.refs, { keepBlobsSince: createdAt });
    expect(await home.content.info(blob)).not.to.equal(undefined);
    await prune(home.refs, { keepBlobsSince: createdAt + 1 });
    expect(await home.content.info(blob)).to.equal(undefined);
  });

  it('removes lazy layers, which have no snapshot', async () => {
    const ref = await home.refs.fromLayers(lazyLayers([{ a: '1' }, { b: '1' }]), { description: 'lazy' });
    await ref![Symbol.asyncDispose]();
    expect(await prune(home.refs)).to.deep.equal(['lazy', 'lazy']);
  });

  it('leaves what is taken while it is being measured', async () => {
    const ref = await home.commit(undefined, { a: '1' });
    await ref[Symbol.asyncDispose]();
    const measure = home.snapshotter.usage.bind(home.snapshotter);
    const taken: ImmutableRef[] = [];
    home.snapshotter.usage = async (key, signal) => {
      const usage = await measure(key, signal);
      taken.push(await home.refs.get(ref.id));
      return usage;
    };
    expect(await prune(home.refs)).to.deep.equal([]);
    expect(await home.files(taken[0]!)).to.deep.equal({ a: '1' });
    await taken[0]![Symbol.asyncDispose]();
  });

  it('stops between records when it is aborted', async () => {
    for (const name of ['a', 'b'])
      await (await home.commit(undefined, { [name]: '1' }))[Symbol.asyncDispose]();
    const abort = new AbortController();
    const gone: string[] = [];
    let code = '';
    try {
      for await (const { id } of home.refs.prune({ ...everything, maxUsedSpace: 1 }, abort.signal)) {
        gone.push(id);
        abort.abort();
      }
    } catch (error) {
      code = (error as { code: string }).code;
    }
    expect([gone.length, code, (await home.refs.usage([])).length]).to.deep.equal([1, 'canceled', 1]);
  });

  it('lets the next one prune when a consumer stops listening', async () => {
    for (const name of ['a', 'b'])
      await (await home.commit(undefined, { [name]: '1' }))[Symbol.asyncDispose]();
    for await (const _ of home.refs.prune({ ...everything, maxUsedSpace: 1 }, never)) break;
    expect((await prune(home.refs)).length).to.equal(1);
  });

  it('plans what it would remove, with a reason for each record, and removes nothing', async () => {
    const base = await home.commit(undefined, { a: '1' });
    const child = await home.commit(base, { b: '1' });
    const internal = await home.commit(undefined, { c: '1' }, { type: 'internal' });
    const busyBase = await home.commit(undefined, { d: '1' });
    await using _busy = await home.commit(busyBase, { e: '1' });
    for (const ref of [base, child, internal, busyBase]) await ref[Symbol.asyncDispose]();
    const plan = await home.refs.planPrune({ ...everything, all: false }, never);
    const verdicts = plan.map(({ record, goes, because }) => [
      record.description,
      goes,
      because.replace(/; it was used.*/, ''),
    ]);
    expect(verdicts).to.deep.equal([
      ['b', true, 'nothing keeps it'],
      ['a', true, 'nothing keeps it'],
      ['c', false, 'records of type internal go only with --all'],
      ['d', false, 'a record that stays rests on it'],
      ['e', false, 'a build uses it'],
    ]);
    expect((await home.refs.usage([])).length).to.equal(5);
    expect(await prune(home.refs, { all: false })).to.deep.equal(['b', 'a']);
  });

  it('plans with an aim what it then removes', async () => {
    for (const name of ['a', 'b', 'c'])
      await (await home.commit(undefined, { [name]: 'x'.repeat(5000) }))[Symbol.asyncDispose]();
    const [one] = await home.refs.usage([]);
    const rule = { ...everything, maxUsedSpace: one!.size * 2 };
    const plan = await home.refs.planPrune(rule, never);
    const going = plan.filter(({ goes }) => goes).map(({ record }) => record.description);
    expect([going.length, await prune(home.refs, rule)]).to.deep.equal([2, going]);
  });

  it('collects by one rule after the other', async () => {
    for (const name of ['a', 'b', 'c'])
      await (await home.commit(undefined, { [name]: '1' }))[Symbol.asyncDispose]();
    const gone: string[] = [];
    const rules = ['c', 'a'].map((name) => ({ ...everything, filter: [`description==${name}`] }));
    for await (const { description } of home.refs.collect(rules, Date.now(), never)) gone.push(description);
    expect(gone).to.deep.equal(['c', 'a']);
  });

  it('removes single records that nobody uses, without measuring them', async () => {
    await using used = await home.commit(undefined, { a: '1' });
    const idle = await home.commit(undefined, { b: '1' });
    await idle[Symbol.asyncDispose]();
    home.snapshotter.usage = () => Promise.reject(new Error('measured'));
    await home.refs.removeUnused([used.id, idle.id, 'unknown']);
    expect([home.refs.has(used.id), home.refs.has(idle.id)]).to.deep.equal([true, false]);
    expect((await home.snapshotter.list()).map(({ key }) => key)).to.deep.equal([used.id]);
  });

  it('agrees with a naive collector on any forest, to the order', async () => {
    const types: readonly RecordType[] = ['regular', 'regular', 'internal', 'frontend', 'source.local'];
    const node = fc.record({
      parent: fc.nat(20),
      type: fc.constantFrom(...types),
      size: fc.integer({ min: 1, max: 50 }),
      uses: fc.nat(3),
      held: fc.nat(9).map((roll) => roll === 0),
      open: fc.nat(9).map((roll) => roll === 0),
    });
    const options = fc.record({
      filter: fc.constantFrom<readonly string[]>(
        [],
        ['type==regular'],
        ['parents'],
        ['description~=[13579]$'],
      ),
      all: fc.boolean(),
      keepDurationMs: fc.constant(0),
      reservedSpace: fc.constantFrom(0, 0, 40, 200),
      maxUsedSpace: fc.constantFrom(0, 0, 60, 150),
      minFreeSpace: fc.constantFrom(0, 0, 100, 150),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(node, { maxLength: 14 }), options, async (nodes, choice) => {
        const sizes = new Map<string, number>();
        const content = fakeContent();
        const refs = await LocalRefStore.open({
          workerId: 'w',
          snapshotter: sizedSnapshotter(sizes),
          differ: new FakeDiffer(content),
          content: { ...content, async *list() {} },
          kv: new MemoryKv(),
          tracing: silentTracing,
          freeSpace: async () => 100,
        });
        const made: ImmutableRef[] = [];
        const model: Model[] = [];
        for (const [at, { parent, type, size, uses, held }] of nodes.entries()) {
          // Every third starts a tree of its own.
          const below = at % 3 === 0 ? undefined : made[parent % at];
          const mutable = await refs.create(below, { description: `n${at}`, type }, silentProgress, never);
          sizes.set(mutable.id, size);
          const ref = await mutable.commit();
          for (let use = 0; use < uses; use++) await (await refs.get(ref.id))[Symbol.asyncDispose]();
          if (held) await refs.hold(ref.id, 'x');
          made.push(ref);
          model.push({ name: `n${at}`, parent: below && `n${made.indexOf(below)}`, type, size, kept: false });
        }
        for (const [at, { open, held }] of nodes.entries()) {
          if (!open) await made[at]!.clone()[Symbol.asyncDispose]();
          if (!open) await made[at]![Symbol.asyncDispose]();
          model[at]!.kept = open || held;
        }
        const usage = new Map((await refs.usage([])).map((record) => [record.description, record]));
        const expected = naivePrune(model, choice, (name) => {
          const { lastUsedAt, usageCount, createdAt, id } = usage.get(name)!;
          return { lastUsedAt, usageCount, createdAt, id };
        });
        const total = nodes.reduce((sum, { size }) => sum + size, 0);
        const gone = await prune(refs, choice);
        // Without an aim the order is nobody's business.
        if (bytesToKeep(total, 100, choice) !== 0) expect(gone).to.deep.equal(expected);
        else expect([...gone].sort()).to.deep.equal([...expected].sort());
        for (const [at, { open }] of nodes.entries()) if (open) await made[at]![Symbol.asyncDispose]();
      }),
      { numRuns: 150 },
    );
  }).timeout(30_000);
});

interface Model {
  readonly name: string;
  readonly parent: string | undefined;
  readonly type: RecordType;
  readonly size: number;
  kept: boolean;
}
interface Known {
  readonly lastUsedAt: number | undefined;
  readonly usageCount: number;
  readonly createdAt: number;
  readonly id: string;
}

/** The rules said as simply as possible: look at everything anew after each record that freed another. */
function naivePrune(
  records: readonly Model[],
  options: PruneOptions,
  known: (name: string) => Known,
): string[] {
  const left = new Set(records);
  const gone: string[] = [];
  const total = records.reduce((sum, { size }) => sum + size, 0);
  let used = total;
  const keep = bytesToKeep(total, 100, options);
  let order: readonly Model[] = [];
  for (;;) {
    if (keep !== 0 && used < keep) return gone;
    const candidates = [...left].filter(
      (record) =>
        !record.kept &&
        ![...left].some(({ parent }) => parent === record.name) &&
        (options.all || (record.type !== 'internal' && record.type !== 'frontend')) &&
        naiveFilter(record, options.filter),
    );
    if (candidates.length === 0) return gone;
    if (keep !== 0 && candidates.some((candidate) => !order.includes(candidate))) {
      order = leastWorthFirst(candidates, known);
    }
    const first = keep === 0 ? candidates[0]! : order.find((each) => left.has(each))!;
    left.delete(first);
    used -= first.size;
    gone.push(first.name);
  }
}

function naiveFilter({ type, parent, name }: Model, [filter]: readonly string[]): boolean {
  if (filter === 'type==regular') return type === 'regular';
  if (filter === 'parents') return parent !== undefined;
  return filter === undefined || /[13579]$/.test(name);
}

function leastWorthFirst(candidates: readonly Model[], known: (name: string) => Known): readonly Model[] {
  const rank = (value: (of: Known) => number): ((model: Model) => number) => {
    const above = [...new Set(candidates.map(({ name }) => value(known(name))))].filter((each) => each > 0);
    const of = ({ name }: Model): number => 1 + above.filter((each) => each <= value(known(name))).length;
    return (model) => of(model) / (above.length + 1);
  };
  const recency = rank(({ lastUsedAt }) => lastUsedAt ?? 0);
  const frequency = rank(({ usageCount }) => usageCount);
  return [...candidates].sort((a, b) => {
    const [x, y] = [known(a.name), known(b.name)];
    const worth = recency(a) + frequency(a) - (recency(b) + frequency(b));
    return worth || x.createdAt - y.createdAt || (x.id < y.id ? -1 : 1);
  });
}

/** Snapshots without files, of known sizes. */
function sizedSnapshotter(sizes: ReadonlyMap<string, number>): Snapshotter {
  return {
    name: 'sized',
    prepare: async () => {},
    mounts: async () => [],
    commit: async () => {},
    remove: async () => {},
    stat: async () => undefined,
    usage: async (key) => ({ bytes: sizes.get(key) ?? 0, inodes: 1 }),
    list: async () => [],
  };
}
