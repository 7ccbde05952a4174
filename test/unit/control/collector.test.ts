import { expect } from 'chai';
import {
  type GcRule,
  type RefStore,
  silentLogger,
  type UsageRecord,
  type Worker,
  type Workers,
} from '../../../core/contracts/index.js';
import { Collector } from '../../../core/control/collector.js';
import { forgetResults, sweepResults } from '../../../core/control/dead-results.js';
import { deferred } from '../../../core/util/deferred.js';
import { ManualClock } from '../../support/manual-clock.js';

const rule: GcRule = {
  filter: [],
  all: true,
  keepDurationMs: 0,
  reservedSpace: 0,
  maxUsedSpace: 1,
  minFreeSpace: 0,
};

/** A worker whose collections end when they are told to. */
class World implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly removed: string[] = [];
  sweeps = 0;
  lastRun: number | undefined;
  rules: readonly GcRule[] = [rule];
  begun = 0;
  running = 0;
  most = 0;
  gate = deferred<void>();
  readonly collector: Collector;

  constructor(lastRun: number | undefined = Date.now()) {
    this.lastRun = lastRun;
    const collect = this.#collect.bind(this);
    const worker = { profile: { id: 'w' }, refs: { collect } as unknown as RefStore } as unknown as Worker;
    this.collector = new Collector({
      workers: { list: [worker] } as unknown as Workers,
      rules: () => this.rules,
      oldestBegan: () => 0,
      removed: async (ids) => void this.removed.push(...ids),
      sweep: async () => void this.sweeps++,
      logger: silentLogger,
      clock: this.clock,
      lastRun: {
        get: () => this.lastRun,
        set: async (at) => {
          this.lastRun = at;
        },
      },
    });
    this.gate.resolve();
  }

  async *#collect(
    _rules: readonly GcRule[],
    _since: number,
    signal: AbortSignal,
  ): AsyncIterable<UsageRecord> {
    this.begun++;
    this.running++;
    this.most = Math.max(this.most, this.running);
    try {
      await this.gate.promise;
      signal.throwIfAborted();
      yield { id: `r${this.begun}`, size: 10 } as UsageRecord;
    } finally {
      this.running--;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.collector[Symbol.asyncDispose]();
  }
}

describe('garbage collection by itself', () => {
  it('comes a second after a build, once for builds that end meanwhile', async () => {
    await using world = new World();
    world.collector.soon();
    world.collector.soon();
    await world.clock.pass(999);
    expect(world.begun).to.equal(0);
    await world.clock.pass(1);
    expect([world.begun, world.removed, world.collector.total]).to.deep.equal([
      1,
      ['w::r1'],
      { records: 1, bytes: 10, runs: 1 },
    ]);
  });

  it('comes not within a minute of the last time', async () => {
    await using world = new World();
    world.collector.soon();
    await world.clock.pass(1000);
    world.collector.soon();
    await world.clock.pass(59_999);
    expect(world.begun).to.equal(1);
    await world.clock.pass(1);
    expect(world.begun).to.equal(2);
  });

  it('never runs twice at once: who asks meanwhile joins, what comes due meanwhile waits', async () => {
    await using world = new World();
    world.gate = deferred();
    const first = world.collector.run();
    const joined = world.collector.run();
    world.collector.soon();
    await world.clock.pass(5000);
    world.gate.resolve();
    expect([await first, await joined]).to.deep.equal(Array(2).fill({ records: 1, bytes: 10 }));
    await world.clock.pass(60_000);
    expect([world.begun, world.most]).to.deep.equal([2, 1]);
  });

  it('ends quietly when it is stopped while another one is due', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): unknown => unhandled.push(reason);
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
    try {
      const world = new World();
      world.gate = deferred();
      const first = world.collector.run().catch((reason: unknown) => reason);
      world.collector.soon();
      await world.clock.pass(1000);
      const disposed = world[Symbol.asyncDispose]();
      world.gate.resolve();
      await disposed;
      expect(await first).to.have.property('name', 'AbortError');
      // They are told of after the microtasks.
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).to.deep.equal([]);
    } finally {
      process.off('unhandledRejection', note);
      for (const other of others) process.on('unhandledRejection', other);
    }
  });

  it('does nothing where there are no rules', async () => {
    await using world = new World();
    world.rules = [];
    expect([await world.collector.run(), world.begun]).to.deep.equal([{ records: 0, bytes: 0 }, 0]);
  });

  it('sweeps what the last process left, once', async () => {
    await using world = new World();
    await world.collector.run();
    await world.collector.run();
    expect(world.sweeps).to.equal(1);
  });

  it('comes before the end of a process that lived for one build, when it is overdue', async () => {
    for (const [last, runs] of [
      [0, 2],
      [Date.now() - 601_000, 2],
      [Date.now() - 60_000, 1],
    ] as const) {
      const world = new World(last);
      // While the build runs, when there is nothing to be had yet.
      world.collector.soon();
      await world.clock.pass(1000);
      world.collector.buildEnded();
      await world[Symbol.asyncDispose]();
      expect(world.begun).to.equal(runs);
    }
  });

  it('is not overdue in a state folder that is new', async () => {
    const world = new World();
    world.lastRun = undefined;
    world.collector.buildEnded();
    await world[Symbol.asyncDispose]();
    expect([world.begun, typeof world.lastRun]).to.deep.equal([0, 'number']);
  });

  it('comes not before the end of a daemon that has collected after its builds', async () => {
    const world = new World(0);
    for (let build = 0; build < 2; build++) {
      world.collector.buildEnded();
      await world.clock.pass(1000);
    }
    await world[Symbol.asyncDispose]();
    expect(world.begun).to.equal(1);
  });

  it('ends with its owner, and does not begin again', async () => {
    const world = new World();
    world.gate = deferred();
    const running = world.collector.run().then(
      () => 'done',
      () => 'stopped',
    );
    const closing = world[Symbol.asyncDispose]();
    world.gate.resolve();
    await closing;
    world.collector.soon();
    await world.clock.pass(100_000);
    expect([await running, world.begun, world.clock.pending]).to.deep.equal(['stopped', 1, 0]);
  });
});

describe('results without data', () => {
  it('are forgotten, all others are not', async () => {
    const known = new Set(Array.from({ length: 250 }, (_, index) => `w::${index}`));
    let doubts = 0;
    const keys = {
      resultIds: () => known,
      forget: async (id: string) => void known.delete(id),
      doubtAll: () => void doubts++,
    };
    expect(await sweepResults(keys, (id) => !id.endsWith('7'))).to.equal(225);
    expect([known.size, doubts]).to.deep.equal([25, 1]);
    await forgetResults(keys, ['w::7', 'w::17', 'unknown']);
    expect(known.size).to.equal(23);
  });
});
