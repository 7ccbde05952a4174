import { expect } from 'chai';
import type { Progress } from '../../../core/contracts/progress.js';
import { stepsBelow, traceBelow, withSpan } from '../../../core/contracts/step-span.js';
import { type SpanContext, silentTracing } from '../../../core/contracts/tracing.js';

const span: SpanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };

describe('progress with a span', () => {
  const told: unknown[] = [];
  const base: Progress = {
    status: (...args) => void told.push(args),
    log: (...args) => void told.push(args),
    warn: (...args) => void told.push(args),
    resume: () => {
      told.push('resumed');
      return { [Symbol.dispose]: () => void told.push('ended') };
    },
  };
  beforeEach(() => {
    told.length = 0;
  });

  it('tells what it is told, and knows its span', () => {
    const progress = withSpan(base, span);
    progress.status('id', { current: 1 });
    progress.log('stdout', new Uint8Array([1]));
    progress.resume?.()[Symbol.dispose]();
    expect(told).to.deep.equal([['id', { current: 1 }], ['stdout', new Uint8Array([1])], 'resumed', 'ended']);
    expect(progress.span).to.equal(span);
  });

  it('is the same object where there is no span', () => {
    expect(withSpan(base, undefined)).to.equal(base);
    const { resume: _, ...still } = base;
    expect(withSpan(still, span)).not.to.have.property('resume');
  });

  it('is what steps below a span are given', async () => {
    const steps = { step: <T>(_name: string, work: (progress: Progress) => Promise<T>) => work(base) };
    expect(await stepsBelow(steps, span).step('x', async (progress) => progress.span)).to.equal(span);
    expect(stepsBelow(steps, undefined)).to.equal(steps);
  });

  it('costs nothing when nobody traces', async () => {
    const tracing = { ...silentTracing, trace: () => Promise.reject(new Error('traced')) };
    expect(await traceBelow(tracing, 'x', {}, base, async (progress) => progress)).to.equal(base);
  });
});
