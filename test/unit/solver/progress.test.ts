import { expect } from 'chai';
import type { Progress, ProgressEvent } from '../../../core/contracts/progress.js';
import type { SessionGroup } from '../../../core/contracts/session.js';
import type { Job } from '../../../core/solver/job.js';
import type { Vertex } from '../../../core/solver/op.js';
import { sha256 } from '../../../core/util/digest.js';
import { Bench, nothingLeft } from './support/bench.js';
import { Gate, settle } from './support/gate.js';

const forever = new AbortController().signal;

async function all(events: AsyncIterable<ProgressEvent>): Promise<ProgressEvent[]> {
  const list: ProgressEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

type Row = Extract<ProgressEvent, { type: 'vertex' }>;
const rows = (events: readonly ProgressEvent[]): Row[] =>
  events.filter((event): event is Row => event.type === 'vertex');

/** `name declared|started|completed|cached|failed`, one a report. */
const states = (events: readonly ProgressEvent[]): string[] =>
  rows(events).map(({ name, started, completed, cached, error }) => {
    const state =
      completed !== undefined ? (error ? `failed: ${error}` : 'completed') : started ? 'started' : 'declared';
    return `${name} ${cached ? 'cached ' : ''}${state}`;
  });

describe('solver: progress', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    expect(bench.left).to.deep.equal(nothingLeft);
  });

  /** All events of a job that does `work`. */
  const during = async (work: (job: Job) => Promise<unknown>): Promise<ProgressEvent[]> => {
    const job = bench.job();
    const events = all(job.progress(forever));
    await work(job).catch(() => undefined);
    await job[Symbol.asyncDispose]();
    return await events;
  };
  const building = (what: Vertex): Promise<ProgressEvent[]> => during((job) => bench.value(job, what));

  it('declares every vertex, then says when it starts and completes', async () => {
    const { graph } = bench;
    const a = graph.step({ name: 'a' });
    const events = await building(graph.step({ name: 'b', inputs: [a] }));
    expect(states(events)).to.deep.equal([
      'a declared',
      'b declared',
      'a started',
      'a completed',
      'a started',
      'a completed',
      'b started',
      'b completed',
    ]);
    expect(rows(events).at(-1)!.inputs).to.deep.equal([a.digest]);
  });

  it('shows the step whose input cannot be digested as failed', async () => {
    const { graph } = bench;
    const digesting = (): never => {
      throw new Error('"/nope": not found');
    };
    const copy = graph.step({
      name: 'copy',
      inputs: [graph.step({ name: 'a' })],
      content: { 0: true },
      digesting,
    });
    expect(states(await building(copy)).slice(-2)).to.deep.equal([
      'copy started',
      'copy failed: "/nope": not found',
    ]);
  });

  it('reports what is below a match as cached', async () => {
    const { graph } = bench;
    const top = (): Vertex =>
      graph.step({ name: 'c', inputs: [graph.step({ name: 'b', inputs: [graph.step({ name: 'a' })] })] });
    await bench.build(top());
    const events = await building(top());
    expect(states(events).slice(3)).to.deep.equal([
      'a started',
      'a completed',
      'b cached completed',
      'c cached started',
      'c cached completed',
    ]);
    const b = rows(events).find(({ name, completed }) => name === 'b' && completed)!;
    expect(b.started).to.equal(b.completed);
  });

  it('carries the error of a failed step', async () => {
    const bad = bench.graph.step({
      name: 'bad',
      running: () => {
        throw new Error('exit code: 1');
      },
    });
    expect(states(await building(bad)).at(-1)).to.equal('bad failed: exit code: 1');
  });

  it('completes what was started when the job ends before it', async () => {
    const gate = new Gate();
    const slow = bench.graph.step({
      name: 'slow',
      running: async ({ signal }) => {
        await gate.wait(signal);
        return 'x';
      },
    });
    const events = await during(async (job) => {
      void bench.value(job, slow).catch(() => undefined);
      await gate.reached;
    });
    expect(states(events).at(-1)).to.equal('slow failed: context canceled');
  });

  it('passes on logs, warnings and bars', async () => {
    const noisy = bench.graph.step({
      name: 'noisy',
      running: ({ progress }) => {
        progress.log('stdout', Buffer.from('hello'));
        progress.warn({ level: 1, short: 'careful', detail: [] });
        progress.status('download', { current: 1, total: 3 });
        progress.status('download', { current: 3, completed: true });
        return 'x';
      },
    });
    const events = (await building(noisy)).filter(({ type }) => type !== 'vertex');
    expect(events.map((event) => [event.type, 'vertex' in event && event.vertex])).to.deep.equal([
      ['log', noisy.digest],
      ['warning', noisy.digest],
      ['status', noisy.digest],
      ['status', noisy.digest],
    ]);
    expect(events.at(-1)).to.deep.include({ id: 'download', current: 3, total: 3 });
  });

  it('shows a completed step as running again while its result is made after all', async () => {
    let later: Progress | undefined;
    const lazy = bench.graph.step({
      name: 'lazy',
      running: ({ progress }) => {
        later = progress;
        return 'x';
      },
    });
    const user = bench.graph.step({
      name: 'user',
      inputs: [lazy],
      running: () => {
        using _first = later?.resume?.();
        using _second = later?.resume?.();
        later?.status('pull', { completed: true });
        return 'y';
      },
    });
    const seen = states(await building(user));
    const from = seen.lastIndexOf('user started');
    expect(seen.slice(from)).to.deep.equal([
      'user started',
      'lazy started',
      'lazy completed',
      'user completed',
    ]);
  });

  it('does not show a step as cached whose result is still being made when its second user starts', async () => {
    let later: Progress | undefined;
    const resumed = new Gate();
    const lazy = bench.graph.step({
      name: 'lazy',
      running: ({ progress }) => {
        later = progress;
        return 'x';
      },
    });
    const first = bench.graph.step({
      name: 'first',
      inputs: [lazy],
      running: async ({ signal }) => {
        using _resumed = later?.resume?.();
        await resumed.wait(signal);
        return 'y';
      },
    });
    const second = bench.graph.step({
      name: 'second',
      inputs: [lazy],
      running: () => {
        resumed.open();
        return 'z';
      },
    });
    const events = await during(async (job) => {
      const one = bench.value(job, first);
      await resumed.reached;
      await Promise.all([bench.value(job, second), one]);
    });
    expect(states(events)).to.include('second completed').and.not.include('lazy cached completed');
  });

  it('coalesces the updates of a bar, but not its end', async () => {
    const noisy = bench.graph.step({
      name: 'noisy',
      running: ({ progress }) => {
        for (let i = 0; i < 50; i++) progress.status('bar', { current: i });
        progress.status('bar', { current: 50, completed: true });
        return 'x';
      },
    });
    const bars = (await building(noisy)).filter((event) => event.type === 'status');
    expect(bars.map(({ current }) => current)).to.deep.equal([0, 50]);
  });

  it('is replayed to a job that joins late', async () => {
    const gate = new Gate();
    const make = (): Vertex =>
      bench.graph.step({
        name: 'a',
        running: async ({ signal, progress }) => {
          progress.log('stderr', Buffer.from('early'));
          await gate.wait(signal);
          progress.log('stderr', Buffer.from('late'));
          return 'x';
        },
      });
    await using first = bench.job();
    const value = bench.value(first, make());
    await gate.reached;
    const events = await during(async (job) => {
      const joined = bench.value(job, make());
      await settle();
      gate.open();
      await joined;
    });
    await value;
    const logs = events
      .filter((event) => event.type === 'log')
      .map(({ data }) => Buffer.from(data).toString());
    expect([states(events), logs]).to.deep.equal([
      ['a started', 'a completed'],
      ['early', 'late'],
    ]);
  });

  it('of a followed step reaches the job of the follower', async () => {
    const gate = new Gate();
    const make = (name: string): Vertex =>
      bench.graph.step({
        name,
        key: 'same',
        running: async ({ signal }) => {
          await gate.wait(signal);
          return 'x';
        },
      });
    await using first = bench.job();
    const value = bench.value(first, make('leader'));
    await gate.reached;
    const events = await during(async (job) => {
      const joined = bench.value(job, make('follower'));
      await settle();
      gate.open();
      await joined;
    });
    await value;
    expect(states(events)).to.include.members(['leader completed', 'follower cached completed']);
  });

  it('of a build within a step reaches the job', async () => {
    const { graph } = bench;
    const inner = graph.step({ name: 'inner' });
    const outer = graph.step({
      name: 'outer',
      running: async (context) => {
        await (await context.build({ vertex: inner, index: 0 }))?.[Symbol.asyncDispose]();
        return 'x';
      },
    });
    expect(states(await building(outer))).to.include('inner completed');
  });

  it('has rows for other steps, known by their id', async () => {
    const events = await during(async ({ steps }) => {
      await steps.step('exporting', async (progress) => progress.status('layers', { completed: true }));
      await steps.step('failing', () => Promise.reject(new Error('no')), { id: 'x' }).catch(() => undefined);
    });
    expect(states(events)).to.deep.equal([
      'exporting declared',
      'exporting started',
      'exporting completed',
      'failing declared',
      'failing started',
      'failing failed: no',
    ]);
    expect(rows(events).at(0)!.digest).to.equal(sha256('exporting'));
    expect(rows(events).at(-1)!.digest).to.equal(sha256('x'));
  });

  it('may be read twice, and after the job is over', async () => {
    const job = bench.job();
    await bench.value(job, bench.graph.step({ name: 'a' }));
    const live = all(job.progress(forever));
    await job[Symbol.asyncDispose]();
    expect(await all(job.progress(forever))).to.deep.equal(await live);
  });

  it('stops for a reader that leaves', async () => {
    await using job = bench.job();
    const stop = new AbortController();
    const reading = all(job.progress(stop.signal)).catch(() => 'stopped');
    stop.abort();
    expect(await reading).to.equal('stopped');
  });

  it('shares the sessions of every job that wants the step', async () => {
    const gate = new Gate();
    let seen: readonly string[] = [];
    const make = (): Vertex =>
      bench.graph.step({
        name: 'a',
        running: async ({ signal, sessions }) => {
          await gate.wait(signal);
          seen = sessions.ids();
          return 'x';
        },
      });
    const jobs = [bench.job(), bench.job(), bench.job()];
    const values = jobs.map((job) => bench.value(job, make()).catch(() => 'left'));
    await gate.reached;
    await jobs[0]![Symbol.asyncDispose]();
    gate.open();
    await Promise.all(values);
    expect(seen).to.deep.equal(['session-2', 'session-3']);
    for (const job of jobs) await job[Symbol.asyncDispose]();
  });

  it('keeps the sessions of a job for what it reads later, as long as the job lasts', async () => {
    let sessions: SessionGroup | undefined;
    const step = bench.graph.step({
      name: 'a',
      running: (context) => {
        ({ sessions } = context);
        return 'x';
      },
    });
    const job = bench.job();
    await bench.value(job, step);
    expect(sessions?.ids()).to.deep.equal(['session-1']);
    await job[Symbol.asyncDispose]();
    expect(sessions?.ids()).to.deep.equal([]);
  });
});
