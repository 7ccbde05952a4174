import { expect } from 'chai';
import { traceBelow } from '../../../core/contracts/step-span.js';
import type { Span, SpanContext, SpanOptions, Tracing } from '../../../core/contracts/tracing.js';
import type { OpContext, Vertex } from '../../../core/solver/op.js';
import { Bench } from './support/bench.js';
import { Gate, settle } from './support/gate.js';

interface Recorded {
  readonly name: string;
  readonly id: string;
  readonly parent: string | undefined;
  readonly followsFrom: string | undefined;
  readonly tags: Record<string, unknown>;
  finished: number;
}

/** Remembers spans. */
class RecordedTracing implements Tracing {
  readonly spans: Recorded[] = [];

  start(name: string, { parent, followsFrom, tags }: SpanOptions = {}): Span {
    const context: SpanContext = { traceId: 't', spanId: `${this.spans.length}`, sampled: true };
    const span: Recorded = {
      name,
      id: context.spanId,
      parent: parent?.spanId,
      followsFrom: followsFrom?.spanId,
      tags: { ...tags },
      finished: 0,
    };
    this.spans.push(span);
    return {
      context,
      setTag: (key, value) => {
        span.tags[key] = value;
      },
      log: () => undefined,
      fail: () => {
        span.tags.failed = true;
      },
      finish: () => {
        span.finished = 1;
      },
    };
  }

  async trace<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
    const span = this.start(name, options);
    try {
      return await work(span);
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.finish();
    }
  }

  inject(): Readonly<Record<string, string>> {
    return {};
  }

  extract(): undefined {
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

describe('solver: spans', () => {
  it('show a step below the job that started it, with its parts', async () => {
    const tracing = new RecordedTracing();
    await using bench = new Bench({ tracing });
    const span = tracing.start('job');
    const below = bench.graph.step({ name: 'below', value: 'v' });
    const top = bench.graph.step({ name: 'top', inputs: [below], content: { 0: true } });
    const job = bench.solver.openJob('j', { sessionId: 's', span });
    await bench.value(job, top);
    await job[Symbol.asyncDispose]();
    const nameOf = (id: string | undefined): string | undefined =>
      tracing.spans.find((one) => one.id === id)?.name;
    expect(tracing.spans.slice(1).map(({ name, parent }) => `${nameOf(parent)} / ${name}`)).to.have.members([
      'job / cache key: below',
      'job / below',
      'below / exec',
      'below / save',
      'job / top',
      'top / content digest',
      'top / exec',
      'top / save',
    ]);
    expect(tracing.spans.slice(1).every(({ finished }) => finished === 1)).to.equal(true);
    const topSpan = tracing.spans.find(({ name }) => name === 'top')!;
    expect(topSpan.tags).to.deep.equal({ vertex: top.digest, cached: false });
  });

  it('have below them what is done for them, by what reports of it', async () => {
    const tracing = new RecordedTracing();
    await using bench = new Bench({ tracing });
    const span = tracing.start('job');
    const work = ({ progress }: OpContext): Promise<string> =>
      traceBelow(tracing, 'pull', { layer: 1 }, progress, (inner) =>
        traceBelow(tracing, 'read', {}, inner, async () => 'v'),
      );
    const mapping = async ({ progress }: OpContext): Promise<void> => {
      await traceBelow(tracing, 'resolve', {}, progress, async () => {});
    };
    const step = bench.graph.step({ name: 'step', running: work, mapping });
    const job = bench.solver.openJob('j', { sessionId: 's', span });
    await bench.value(job, step);
    await job.steps.step('exporting', (progress) =>
      traceBelow(tracing, 'push', {}, progress, async () => {}),
    );
    await job[Symbol.asyncDispose]();
    const nameOf = (id: string | undefined): string | undefined =>
      tracing.spans.find((one) => one.id === id)?.name;
    expect(tracing.spans.map(({ name, parent }) => `${nameOf(parent)} / ${name}`)).to.include.members([
      'cache key: step / resolve',
      'step / exec',
      'exec / pull',
      'pull / read',
      'job / push',
    ]);
  });

  it('are none where no build is traced', async () => {
    const tracing = new RecordedTracing();
    await using bench = new Bench({});
    const work = ({ progress }: OpContext): Promise<string> =>
      traceBelow(tracing, 'pull', {}, progress, async () => 'v');
    const job = bench.solver.openJob('j', { sessionId: 's' });
    await bench.value(job, bench.graph.step({ name: 'step', running: work }));
    await job[Symbol.asyncDispose]();
    expect(tracing.spans).to.deep.equal([]);
  });

  it('say of steps that a hit made needless that they are cached', async () => {
    const tracing = new RecordedTracing();
    await using bench = new Bench({ tracing });
    const below = bench.graph.step({ name: 'below', value: 'v' });
    const middle = bench.graph.step({ name: 'middle', inputs: [below] });
    const top = bench.graph.step({ name: 'top', inputs: [middle] });
    for (const id of ['first', 'second']) {
      tracing.spans.length = 0;
      const span = tracing.start('job');
      const job = bench.solver.openJob(id, { sessionId: 's', span });
      await bench.value(job, top);
      await job[Symbol.asyncDispose]();
    }
    const steps = tracing.spans.filter(({ tags }) => 'cached' in tags);
    expect(steps.map(({ name, tags, finished }) => [name, tags.cached, finished])).to.have.deep.members([
      ['top', true, 1],
      ['middle', true, 1],
    ]);
  });

  it('of a job that joins point to those of the first', async () => {
    const tracing = new RecordedTracing();
    await using bench = new Bench({ tracing });
    const gate = new Gate();
    const make = (): Vertex =>
      bench.graph.step({
        name: 'a',
        running: async ({ signal }) => {
          await gate.wait(signal);
          return 'x';
        },
      });
    const spans = [1, 2].map((i) => tracing.start(`job ${i}`));
    const jobs = spans.map((span, i) => bench.solver.openJob(`j${i}`, { sessionId: 's', span }));
    const first = bench.value(jobs[0]!, make());
    await gate.reached;
    const second = bench.value(jobs[1]!, make());
    await settle();
    gate.open();
    await Promise.all([first, second]);
    const [own, shared] = tracing.spans.filter(({ name }) => name === 'a');
    expect([shared!.parent, shared!.followsFrom, shared!.finished]).to.deep.equal(['1', own!.id, 1]);
    for (const job of jobs) await job[Symbol.asyncDispose]();
  });

  it('of a failed step are marked', async () => {
    const tracing = new RecordedTracing();
    await using bench = new Bench({ tracing });
    const bad = bench.graph.step({
      name: 'bad',
      running: () => {
        throw new Error('broken');
      },
    });
    await bench.build(bad).catch(() => undefined);
    const span = tracing.spans.find(({ name }) => name === 'bad')!;
    expect([span.tags.failed, span.finished]).to.deep.equal([true, 1]);
  });
});
