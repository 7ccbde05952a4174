import { expect } from 'chai';
import { type Deferred, deferred } from '../../../../core/util/deferred.js';
import { KeyLock } from '../../../../core/util/key-lock.js';
import { SharedRuns } from '../../../../core/util/shared-runs.js';

const never = new AbortController().signal;
const turns = async (): Promise<void> => {
  await new Promise(setImmediate);
};

describe('SharedRuns', () => {
  it('runs once for all who ask meanwhile, and anew afterwards', async () => {
    const runs = new SharedRuns<number>();
    let started = 0;
    const start = async (): Promise<number> => ++started;
    expect(await Promise.all([runs.run('k', never, start), runs.run('k', never, start)])).to.deep.equal([
      1, 1,
    ]);
    expect(await runs.run('k', never, start)).to.equal(2);
  });

  it('forgets a failure', async () => {
    const runs = new SharedRuns<string>();
    const failed = await runs.run('k', never, () => Promise.reject(new Error('no'))).catch(String);
    expect([failed, await runs.run('k', never, async () => 'yes')]).to.deep.equal(['Error: no', 'yes']);
  });

  it('aborts when the last asker has left, and starts anew only when it has stopped', async () => {
    const runs = new SharedRuns<string>();
    const stopped: Deferred<string> = deferred();
    let aborted = false;
    const one = new AbortController();
    const two = new AbortController();
    const start = (signal: AbortSignal): Promise<string> => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return stopped.promise;
    };
    const asking = [one, two].map(({ signal }) => runs.run('k', signal, start).catch(() => 'left'));
    one.abort();
    await turns();
    expect(aborted).to.equal(false);
    two.abort();
    expect([await Promise.all(asking), aborted]).to.deep.equal([['left', 'left'], true]);
    let again = false;
    const next = runs.run('k', never, async () => {
      again = true;
      return 'second';
    });
    await turns();
    expect(again).to.equal(false);
    stopped.resolve('first');
    expect(await next).to.equal('second');
  });
});

describe('KeyLock', () => {
  it('lets one in after the other, telling what the one before left', async () => {
    const lock = new KeyLock<string>();
    const first = await lock.enter('k', never);
    const second = lock.enter('k', never);
    const other = await lock.enter('other', never);
    expect([first.before, other.before]).to.deep.equal([undefined, undefined]);
    first.leave('done');
    expect((await second).before).to.equal('done');
  });

  it('runs work under a key exclusively, also when it fails', async () => {
    const lock = new KeyLock<void>();
    const log: string[] = [];
    const work = (name: string) => async (): Promise<void> => {
      log.push(`${name} begins`);
      await turns();
      log.push(`${name} ends`);
      if (name === 'a') throw new Error('a fails');
    };
    await Promise.allSettled([lock.run('k', work('a')), lock.run('k', work('b'))]);
    expect(log).to.deep.equal(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('passes the turn over a waiter that gave up', async () => {
    const lock = new KeyLock<void>();
    const first = await lock.enter('k', never);
    const abort = new AbortController();
    const second = lock.enter('k', abort.signal).catch(() => 'gave up');
    const third = lock.enter('k', never);
    abort.abort();
    expect(await second).to.equal('gave up');
    first.leave(undefined);
    (await third).leave(undefined);
  });
});
