import { expect } from 'chai';
import { deferred } from '../../../core/util/deferred.js';
import { Semaphore } from '../../../core/util/semaphore.js';

const never = new AbortController().signal;

describe('Semaphore', () => {
  it('lets in so many, then one for each that leaves, in order', async () => {
    const places = new Semaphore(2);
    const doors = [0, 1, 2, 3].map(() => deferred<void>());
    const entered: number[] = [];
    const runs = doors.map((door, at) =>
      places.run(() => {
        entered.push(at);
        return door.promise;
      }, never),
    );
    await new Promise(setImmediate);
    expect(entered).to.deep.equal([0, 1]);
    doors[1]!.resolve();
    await new Promise(setImmediate);
    expect(entered).to.deep.equal([0, 1, 2]);
    for (const door of doors) door.resolve();
    await Promise.all(runs);
    expect(entered).to.deep.equal([0, 1, 2, 3]);
  });

  it('lets go of one that waits no longer', async () => {
    const places = new Semaphore(1);
    const door = deferred<void>();
    const first = places.run(() => door.promise, never);
    const abort = new AbortController();
    const second = places.run(() => Promise.resolve('second'), abort.signal).catch(() => 'left');
    const third = places.run(() => Promise.resolve('third'), never);
    abort.abort();
    door.resolve();
    expect([await first, await second, await third]).to.deep.equal([undefined, 'left', 'third']);
  });

  it('has no limit at 0', async () => {
    const places = new Semaphore(0);
    const meeting = deferred<void>();
    const all = Array.from({ length: 50 }, () => places.run(() => meeting.promise, never));
    meeting.resolve();
    await Promise.all(all);
  });

  it('gives a place back once, however often it is disposed', async () => {
    const places = new Semaphore(1);
    const place = await places.enter(never);
    place[Symbol.dispose]();
    place[Symbol.dispose]();
    using _next = await places.enter(never);
    const abort = new AbortController();
    const third = places.enter(abort.signal).catch((error: Error) => error.message);
    abort.abort(new Error('full'));
    expect(await third).to.equal('full');
  });
});
