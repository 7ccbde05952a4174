import { expect } from 'chai';
import { runPartialExport } from '../../../../core/cache/cache-exports.js';
import type { CacheImports } from '../../../../core/cache/cache-imports.js';
import type { MountTrees } from '../../../../core/cache/mount-exports.js';
import type { OpenCacheExport } from '../../../../core/cache/open-exports.js';
import { PartialExports } from '../../../../core/cache/partial-exports.js';
import type { CacheExport } from '../../../../core/contracts/cache.js';
import { BuildError } from '../../../../core/contracts/errors.js';
import { silentLogger } from '../../../../core/contracts/logger.js';
import type { ProgressEvent } from '../../../../core/contracts/progress.js';
import type { RefStore } from '../../../../core/contracts/refs.js';
import type { KeyChain } from '../../../../core/solver/key-chain.js';
import { rootKey } from '../../../../core/solver/keys/key-id.js';
import { type Deferred, deferred } from '../../../../core/util/deferred.js';
import { sha256 } from '../../../../core/util/digest.js';
import { fakeSession } from '../../../support/fake-session.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { Bench } from '../../solver/support/bench.js';

const chain = (name: string, ...inputs: readonly KeyChain[]): KeyChain => ({
  digest: rootKey(sha256(name), 0),
  inputs: inputs.map((input) => [{ selector: undefined, node: input }]),
  result: { held: undefined, recordId: name, createdAt: 1000 },
  exportCache: undefined,
  vertex: sha256(`vertex ${name}`),
  aliases: [],
  keys: [],
});
const base = chain('base');
const one = chain('one', base);
const two = chain('two', one);

const opened = (attrs: Partial<CacheExport>, name = 'a'): OpenCacheExport => ({
  name,
  export: { mode: 'min', ignoreError: false, export: async () => ({}), ...attrs },
});

/** Exports that are written down as `NAME WHAT COUNT`, and end when they are let. */
class World {
  readonly clock = new ManualClock();
  readonly said: string[] = [];
  readonly running: Deferred<boolean>[] = [];
  readonly atOnce: (number | undefined)[] = [];
  completed: readonly KeyChain[] = [];
  readonly build = new AbortController();
  readonly partial: PartialExports;

  constructor(...exports: readonly OpenCacheExport[]) {
    this.partial = new PartialExports({
      exports,
      completed: () => this.completed,
      clock: this.clock,
      run: async (entry, { what, chains, atOnce }, signal) => {
        this.said.push(`${entry.name} ${what} ${chains.length}`);
        this.atOnce.push(atOnce);
        const over = deferred<boolean>();
        this.running.push(over);
        signal.addEventListener('abort', () => over.resolve(false));
        const done = await over.promise;
        this.said.push(done ? 'done' : 'not done');
        return done;
      },
    });
  }

  begin(): void {
    this.partial.begin(this.build.signal);
  }

  /** The last one ends. */
  async settle(done = true): Promise<void> {
    this.running.at(-1)!.resolve(done);
    await this.clock.pass(0);
  }
}

const soFar = 'a what is done so far';
const failed = 'a what the failed build has done';

describe('exports of a build that still runs', () => {
  it('come so often as is asked for, with what has completed by then, one result at a time', async () => {
    const world = new World(opened({ every: 30_000 }));
    world.begin();
    world.completed = [base, one];
    await world.clock.pass(29_999);
    expect(world.said).to.deep.equal([]);
    await world.clock.pass(1);
    await world.settle();
    world.completed = [base, one, two];
    await world.clock.pass(30_000);
    await world.settle();
    expect(world.said).to.deep.equal([`${soFar} 2`, 'done', `${soFar} 3`, 'done']);
    expect(world.atOnce).to.deep.equal([1, 1]);
    await world.partial[Symbol.asyncDispose]();
  });

  it('are left out when nothing but sources has completed since', async () => {
    const world = new World(opened({ every: 1000 }));
    world.begin();
    world.completed = [base];
    await world.clock.pass(1000);
    expect(world.said).to.deep.equal([]);
    world.completed = [base, one];
    await world.clock.pass(1000);
    await world.settle();
    world.completed = [base, chain('other base'), one];
    await world.clock.pass(5000);
    expect(world.said).to.deep.equal([`${soFar} 2`, 'done']);
    await world.partial.end();
  });

  it('tell equal commands on other inputs apart', async () => {
    const world = new World(opened({ every: 1000 }));
    world.begin();
    world.completed = [one];
    await world.clock.pass(1000);
    await world.settle();
    world.completed = [one, { ...one, vertex: sha256('vertex twin') }];
    await world.clock.pass(1000);
    await world.settle();
    expect(world.said).to.deep.equal([`${soFar} 1`, 'done', `${soFar} 2`, 'done']);
    await world.partial.end();
  });

  it('of one cache never overlap; those of others do not wait for it', async () => {
    const world = new World(opened({ every: 1000 }), opened({ every: 4000 }, 'b'));
    world.begin();
    world.completed = [one];
    await world.clock.pass(1000);
    world.completed = [one, two];
    await world.clock.pass(3000);
    expect(world.said).to.deep.equal([`${soFar} 1`, 'b what is done so far 2']);
    await world.partial.end();
  });

  it('are tried again when they fail', async () => {
    const world = new World(opened({ every: 1000 }));
    world.begin();
    world.completed = [one];
    await world.clock.pass(1000);
    await world.settle(false);
    await world.clock.pass(1000);
    await world.settle();
    expect(world.said).to.deep.equal([`${soFar} 1`, 'not done', `${soFar} 1`, 'done']);
    await world.partial.end();
  });

  it('end at once when the last export begins, and leave no timer', async () => {
    const world = new World(opened({ every: 1000 }), opened({ every: 9000 }, 'b'));
    world.begin();
    world.completed = [one];
    await world.clock.pass(1000);
    await world.partial.end();
    expect(world.said).to.deep.equal([`${soFar} 1`, 'not done']);
    expect(world.clock.pending).to.equal(0);
  });

  it('end when the build is canceled', async () => {
    const world = new World(opened({ every: 1000, onFailure: true }));
    world.begin();
    world.completed = [one];
    await world.clock.pass(1000);
    world.build.abort();
    await world.partial.failed(world.build.signal);
    expect(world.said).to.deep.equal([`${soFar} 1`, 'not done']);
    expect(world.clock.pending).to.equal(0);
  });

  it('are none unless they are asked for', async () => {
    const world = new World(opened({}));
    world.begin();
    expect([world.clock.pending, world.partial.wantsFailure]).to.deep.equal([0, false]);
  });
});

describe('exports of a build that has failed', () => {
  it('are of all that has completed, when they are asked for', async () => {
    const world = new World(opened({ onFailure: true }), opened({}, 'b'));
    world.begin();
    world.completed = [base, one];
    expect(world.partial.wantsFailure).to.equal(true);
    const exported = world.partial.failed(world.build.signal);
    await world.clock.pass(0);
    await world.settle();
    await exported;
    expect(world.said).to.deep.equal([`${failed} 2`, 'done']);
    expect(world.atOnce).to.deep.equal([undefined]);
  });

  it('come after those of the time it ran, and not when these have told of everything', async () => {
    const world = new World(opened({ onFailure: true, every: 1000 }));
    world.begin();
    world.completed = [one];
    await world.clock.pass(1000);
    await world.settle();
    await world.partial.failed(world.build.signal);
    expect(world.said).to.deep.equal([`${soFar} 1`, 'done']);
  });

  it('are not tried where the export of the result has failed', async () => {
    const [bad, good] = [opened({ onFailure: true }), opened({ onFailure: true }, 'b')];
    const world = new World(bad, good);
    world.begin();
    world.completed = [one];
    world.partial.giveUp(bad);
    const exported = world.partial.failed(world.build.signal);
    await world.clock.pass(0);
    await world.settle();
    await exported;
    expect(world.said).to.deep.equal(['b what the failed build has done 1', 'done']);
  });

  it('stop one that is on its way', async () => {
    const world = new World(opened({ onFailure: true, every: 1000 }));
    world.begin();
    world.completed = [one];
    await world.clock.pass(1000);
    const exported = world.partial.failed(world.build.signal);
    await world.clock.pass(0);
    await world.settle();
    await exported;
    expect(world.said).to.deep.equal([`${soFar} 1`, 'not done', `${failed} 1`, 'done']);
  });
});

describe('an export without a result', () => {
  const run = async (
    entry: OpenCacheExport,
    signal = new AbortController().signal,
  ): Promise<{
    readonly done: boolean;
    readonly rows: readonly string[];
    readonly warnings: readonly string[];
  }> => {
    await using bench = new Bench();
    const job = bench.job();
    const session = fakeSession();
    const { keys, results } = bench;
    const imports = { layers: () => undefined, mounts: [] } as unknown as CacheImports;
    const unused = { mounts: {} as MountTrees, refs: () => ({}) as RefStore };
    const host = {
      job,
      keys,
      results,
      imports,
      ...unused,
      session: async () => session,
      logger: silentLogger,
    };
    const done = await runPartialExport(entry, { chains: [base], what: 'part' }, host, signal);
    const events: ProgressEvent[] = [];
    const progress = job.progress(new AbortController().signal);
    await job[Symbol.asyncDispose]();
    for await (const event of progress) events.push(event);
    return {
      done,
      rows: [
        ...new Set(events.flatMap((event) => (event.type === 'vertex' ? `${event.name}${event.error}` : []))),
      ],
      warnings: events.flatMap((event) => (event.type === 'warning' ? event.short : [])),
    };
  };

  it('has a row, and tells the backend that no response will follow', async () => {
    let partial: boolean | undefined;
    const entry = opened({
      export: async (_records, context) => {
        partial = context.partial;
        return {};
      },
    });
    expect(await run(entry)).to.deep.equal({ done: true, rows: ['a: part'], warnings: [] });
    expect(partial).to.equal(true);
  });

  it('that fails is a warning of its row, whatever ignore-error says', async () => {
    const entry = opened({
      export: async () => {
        throw new BuildError('cache.store', 'the place is full');
      },
    });
    expect(await run(entry)).to.deep.equal({
      done: false,
      rows: ['a: part'],
      warnings: ['part was not exported: the place is full'],
    });
  });

  it('that is stopped says nothing', async () => {
    const stop = new AbortController();
    const entry = opened({
      export: async (_records, _context, signal) => {
        stop.abort();
        signal.throwIfAborted();
        return {};
      },
    });
    expect(await run(entry, stop.signal)).to.deep.equal({ done: false, rows: ['a: part'], warnings: [] });
  });
});
