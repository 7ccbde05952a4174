import { MessageChannel, type Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { BuildError } from '../../../../core/contracts/errors.js';
import { ThreadPool } from '../../../../core/threads/thread-pool.js';
import { deferred } from '../../../../core/util/deferred.js';
import type { TryArgs } from './tasks/try-thread.task.js';

const task = new URL('./tasks/try-thread.task.js', import.meta.url);
const never = new AbortController().signal;

/** The rejection of `promise`; resolving is a failure. */
const rejection = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    (value) => expect.fail(`resolved with ${String(value)}`),
    (error) => error as Error,
  );

describe('ThreadPool', () => {
  let pool: ThreadPool;
  const run = <R>(args: TryArgs, signal = never, onReport?: (value: unknown) => void): Promise<R> =>
    pool.run<R>(task, args, { signal, ...(onReport ? { onReport } : {}) });

  before(() => {
    pool = new ThreadPool({ threads: 2, patienceMs: 20 });
  });
  after(() => pool[Symbol.asyncDispose]());

  it('runs a TypeScript task and answers its result', async () => {
    expect(await run({ do: 'double', value: 21 })).to.equal(42);
  });

  it('runs many more tasks than threads', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, (_, value) => run({ do: 'double', value })));
    expect(all).to.deep.equal(Array.from({ length: 50 }, (_, value) => value * 2));
  });

  it('hands over reports in order, before the result', async () => {
    const seen: unknown[] = [];
    await run({ do: 'count', to: 5 }, never, (value) => seen.push(value));
    expect(seen).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('answers what a task asks', async () => {
    const onAsk = async (question: unknown): Promise<unknown> => `${question}!`;
    const args: TryArgs = { do: 'ask', questions: ['who', 'where'] };
    expect(await pool.run(task, args, { signal: never, onAsk })).to.deep.equal(['who!', 'where!']);
  });

  it('lets a task know why its question has no answer', async () => {
    const onAsk = async (): Promise<never> => {
      throw new BuildError('test.busy', 'nobody knows');
    };
    const args: TryArgs = { do: 'ask', questions: ['who'] };
    expect(await rejection(pool.run(task, args, { signal: never, onAsk }))).to.include({ code: 'test.busy' });
  });

  it('keeps code, details and hint of a BuildError', async () => {
    const error = await rejection(run({ do: 'fail', how: 'build' }));
    expect(error).to.be.instanceOf(BuildError);
    expect(error).to.deep.include({
      code: 'test.broken',
      grpcCode: 'DataLoss',
      hint: 'mend it',
      details: [{ type: 'exit', exitCode: 3 }],
    });
  });

  it('keeps code and path of a system error', async () => {
    expect(await rejection(run({ do: 'fail', how: 'system' }))).to.include({ code: 'ENOENT', path: '/x' });
  });

  it('settles an aborted run as canceled once the task has stopped', async () => {
    const abort = new AbortController();
    const error = await rejection(run({ do: 'spin' }, abort.signal, () => abort.abort()));
    expect(error).to.include({ code: 'canceled' });
    expect(await run({ do: 'double', value: 1 })).to.equal(2);
  });

  it('takes an aborted task out of the queue without running it', async () => {
    const abort = new AbortController();
    const gates = [0, 1].map(() => new SharedArrayBuffer(4));
    const blocked = gates.map((gate) => run({ do: 'block', gate }));
    const waiting = rejection(run({ do: 'double', value: 1 }, abort.signal));
    abort.abort();
    expect(await waiting).to.include({ code: 'canceled' });
    for (const gate of gates) {
      Atomics.store(new Int32Array(gate), 0, 1);
      Atomics.notify(new Int32Array(gate), 0);
    }
    await Promise.all(blocked);
  });

  it('starts an extra thread when a thread only waits for a message and work waits', async () => {
    const { port1, port2 } = new MessageChannel();
    const args: TryArgs = { do: 'listen', port: port2 };
    await using one = new ThreadPool({ threads: 1, patienceMs: 20 });
    const held = one.run(task, args, { signal: never, transfer: [port2] });
    expect(await one.run(task, { do: 'double', value: 4 }, { signal: never })).to.equal(8);
    port1.postMessage('go');
    await held;
  });

  it('gives threads that compute ten times the patience before it starts another', async () => {
    await using one = new ThreadPool({ threads: 1, patienceMs: 20 });
    const gate = new SharedArrayBuffer(4);
    const computing = deferred<void>();
    const onReport = (): void => computing.resolve();
    const blocked = one.run(task, { do: 'block', gate }, { signal: never, onReport });
    await computing.promise;
    const begun = performance.now();
    expect(await one.run(task, { do: 'double', value: 4 }, { signal: never })).to.equal(8);
    expect(performance.now() - begun).to.be.at.least(190);
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    await blocked;
  });

  it('starts another thread at once when those that are busy wait for answers', async () => {
    await using patient = new ThreadPool({ threads: 1, patienceMs: 1_000_000 });
    const [asked, answer] = [deferred<void>(), deferred<string>()];
    const onAsk = (): Promise<string> => {
      asked.resolve();
      return answer.promise;
    };
    const asking = patient.run(task, { do: 'ask', questions: ['?'] }, { signal: never, onAsk });
    await asked.promise;
    expect(await patient.run(task, { do: 'double', value: 4 }, { signal: never })).to.equal(8);
    answer.resolve('!');
    expect(await asking).to.deep.equal(['!']);
  });

  it('gives a dedicated task a thread beside those of the pool', async () => {
    const gates = [0, 1].map(() => new SharedArrayBuffer(4));
    const blocked = gates.map((gate) => run({ do: 'block', gate }));
    const queued = run({ do: 'double', value: 1 });
    const alone = pool.run<number>(task, { do: 'double', value: 4 }, { signal: never, dedicated: true });
    expect(await alone).to.equal(8);
    for (const gate of gates) {
      Atomics.store(new Int32Array(gate), 0, 1);
      Atomics.notify(new Int32Array(gate), 0);
    }
    await Promise.all([...blocked, queued]);
  });

  it('reports a thread that died and goes on with another', async () => {
    expect(await rejection(run({ do: 'fail', how: 'crash' }))).to.include({ code: 'threads.crashed' });
    expect(await run({ do: 'double', value: 3 })).to.equal(6);
  });

  it('gives no work to a thread that died while it was idle', async () => {
    const started: Worker[] = [];
    const note = (worker: Worker): unknown => started.push(worker);
    process.on('worker', note);
    await using own = new ThreadPool({ threads: 1 });
    const double = (value: number): Promise<number> =>
      own.run<number>(task, { do: 'double', value }, { signal: never });
    try {
      expect(await double(1)).to.equal(2);
      for (const worker of started) await worker.terminate();
      expect(await double(2)).to.equal(4);
    } finally {
      process.off('worker', note);
    }
  });

  it('says which task module is missing', async () => {
    const missing = new URL('./tasks/none.task.js', import.meta.url);
    const error = await rejection(pool.run(missing, {}, { signal: never }));
    expect(error.message).to.contain('none.task.js');
  });

  it('refuses work once disposed', async () => {
    const other = new ThreadPool({ threads: 1 });
    await other[Symbol.asyncDispose]();
    expect(await rejection(other.run(task, {}, { signal: never }))).to.include({ code: 'canceled' });
  });
});
