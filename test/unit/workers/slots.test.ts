import { expect } from 'chai';
import { deferred } from '../../../core/util/deferred.js';
import { Slots } from '../../../plugins/workers/shared/slots.js';

const never = new AbortController().signal;

describe('Slots', () => {
  it('lets in so many, then one for each that leaves, in order', async () => {
    const slots = new Slots(2);
    const doors = [0, 1, 2, 3].map(() => deferred<void>());
    const entered: number[] = [];
    const runs = doors.map((door, at) =>
      slots.run(() => {
        entered.push(at);
        return door.promise;
      }, never),
    );
    await Promise.resolve();
    expect(entered).to.deep.equal([0, 1]);
    doors[1]!.resolve();
    await runs[1];
    expect(entered).to.deep.equal([0, 1, 2]);
    for (const door of doors) door.resolve();
    await Promise.all(runs);
    expect(entered).to.deep.equal([0, 1, 2, 3]);
  });

  it('lets go of one that waits no longer', async () => {
    const slots = new Slots(1);
    const door = deferred<void>();
    const first = slots.run(() => door.promise, never);
    const abort = new AbortController();
    const second = slots.run(() => Promise.resolve('second'), abort.signal).catch(() => 'left');
    const third = slots.run(() => Promise.resolve('third'), never);
    abort.abort();
    door.resolve();
    expect([await first, await second, await third]).to.deep.equal([undefined, 'left', 'third']);
  });

  it('has no limit at 0', async () => {
    const slots = new Slots(0);
    const meeting = deferred<void>();
    const all = Array.from({ length: 50 }, () => slots.run(() => meeting.promise, never));
    meeting.resolve();
    await Promise.all(all);
  });
});
