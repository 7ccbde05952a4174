import { expect } from 'chai';
import { type Deferred, deferred } from '../../../core/util/deferred.js';
import { SharedWork } from '../../../core/util/shared-work.js';

describe('SharedWork', () => {
  let runs: { readonly result: Deferred<string>; readonly signal: AbortSignal }[];
  let dropped: string[];
  let work: SharedWork<string>;
  const asked = (): AbortController => new AbortController();

  beforeEach(() => {
    runs = [];
    dropped = [];
    work = new SharedWork(
      (signal) => {
        const result = deferred<string>();
        runs.push({ result, signal });
        return result.promise;
      },
      (value) => void dropped.push(value),
    );
  });

  it('runs once for all callers, and keeps the answer', async () => {
    const answers = Promise.all([work.get(asked().signal), work.get(asked().signal)]);
    runs[0]?.result.resolve('done');
    expect(await answers).to.deep.equal(['done', 'done']);
    expect(await work.get(asked().signal)).to.equal('done');
    expect(runs).to.have.length(1);
  });

  it('keeps an error', async () => {
    const answer = work.get(asked().signal).catch((error: Error) => error.message);
    runs[0]?.result.reject(new Error('broken'));
    expect(await answer).to.equal('broken');
    expect(await work.get(asked().signal).catch((error: Error) => error.message)).to.equal('broken');
    expect(runs).to.have.length(1);
  });

  it('goes on as long as one caller waits', async () => {
    const first = asked();
    const leaving = work.get(first.signal).catch(() => 'left');
    const staying = work.get(asked().signal);
    first.abort();
    expect(await leaving).to.equal('left');
    expect(runs[0]?.signal.aborted).to.equal(false);
    runs[0]?.result.resolve('done');
    expect(await staying).to.equal('done');
  });

  it('aborts when the last caller leaves, drops a late answer, and starts again', async () => {
    const caller = asked();
    const leaving = work.get(caller.signal).catch(() => 'left');
    caller.abort();
    await leaving;
    expect(runs[0]?.signal.aborted).to.equal(true);
    runs[0]?.result.resolve('late');
    const again = work.get(asked().signal);
    runs[1]?.result.resolve('fresh');
    expect(await again).to.equal('fresh');
    expect(dropped).to.deep.equal(['late']);
  });

  it('drops its answer once when it is disposed', async () => {
    const answer = work.get(asked().signal);
    runs[0]?.result.resolve('done');
    await answer;
    await work[Symbol.asyncDispose]();
    await work[Symbol.asyncDispose]();
    expect(dropped).to.deep.equal(['done']);
  });

  it('waits on disposing for work that was given up before', async () => {
    const caller = asked();
    const leaving = work.get(caller.signal).catch(() => 'left');
    caller.abort();
    await leaving;
    let disposed = false;
    const disposing = work[Symbol.asyncDispose]().then(() => {
      disposed = true;
    });
    await new Promise(setImmediate);
    expect(disposed).to.equal(false);
    runs[0]?.result.resolve('late');
    await disposing;
    expect(dropped).to.deep.equal(['late']);
  });
});
