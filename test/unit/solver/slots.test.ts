import { expect } from 'chai';
import { SlotPools, Slots } from '../../../core/solver/slots.js';
import { deferred } from '../../../core/util/deferred.js';

const never = new AbortController().signal;

describe('slots', () => {
  it('gives the next free slot to the longest way', async () => {
    const slots = new Slots(1);
    const first = await slots.take(0, never);
    const order: number[] = [];
    const waiting = [1, 3, 2].map(async (distance) => {
      using _slot = await slots.take(distance, never);
      order.push(distance);
    });
    first[Symbol.dispose]();
    await Promise.all(waiting);
    expect(order).to.deep.equal([3, 2, 1]);
    expect(slots.taken).to.equal(0);
  });

  it('does not take a slot back while the step still waits for another sub-build', async () => {
    const slots = new Slots(1);
    using slot = await slots.take(0, never);
    const [one, two] = [deferred<void>(), deferred<void>()];
    const first = slot.without(() => one.promise, never);
    const second = slot.without(() => two.promise, never);
    one.resolve();
    await first;
    using _inner = await slots.take(1, never);
    expect(slots.taken).to.equal(1);
    two.resolve();
    _inner[Symbol.dispose]();
    await second;
    expect(slots.taken).to.equal(1);
  });

  it('takes nothing back for a step that is over', async () => {
    const slots = new Slots(1);
    const slot = await slots.take(0, never);
    const work = deferred<void>();
    const late = slot.without(() => work.promise, never);
    slot[Symbol.dispose]();
    work.resolve();
    await late;
    expect(slots.taken).to.equal(0);
  });

  it('leaves the queue when it is aborted', async () => {
    const slots = new Slots(1);
    const first = await slots.take(0, never);
    const abort = new AbortController();
    const waiting = slots.take(0, abort.signal).then(
      () => 'taken',
      (error: Error) => error.message,
    );
    abort.abort(new Error('given up'));
    expect(await waiting).to.equal('given up');
    first[Symbol.dispose]();
    expect(slots.taken).to.equal(0);
  });
});

describe('slot pools', () => {
  it('hold up nobody of another pool', async () => {
    const pools = new SlotPools(1, new Map([['b', 1]]));
    using _default = await pools.of(undefined).take(0, never);
    using _named = await pools.of('b').take(0, never);
    expect(pools.taken).to.equal(2);
    const waiting = new AbortController();
    const late = pools.of('b').take(0, waiting.signal);
    expect(pools.waiting).to.equal(1);
    waiting.abort(new Error('enough'));
    expect(await late.catch((error: Error) => error.message)).to.equal('enough');
  });

  it('take what no pool is named for as everybody’s', () => {
    const pools = new SlotPools(1, new Map([['b', 1]]));
    expect(pools.of('c')).to.equal(pools.of(undefined));
    expect(pools.of('b')).not.to.equal(pools.of(undefined));
  });
});
