import { expect } from 'chai';
import { unlessAborted } from '../../../core/util/deferred.js';
import { together } from '../../../core/util/together.js';

const never = new AbortController().signal;
const forever = new Promise<never>(() => {});

describe('together', () => {
  it('answers in the order of the items', async () => {
    const late = async (item: number): Promise<number> => {
      for (let i = 0; i < 3 - item; i++) await Promise.resolve();
      return item * 10;
    };
    expect(await together([1, 2, 3], late, never)).to.deep.equal([10, 20, 30]);
  });

  it('stops the others at the first failure, and waits for them', async () => {
    const stopped: string[] = [];
    const work = async (item: string, signal: AbortSignal): Promise<void> => {
      if (item === 'bad') throw new Error('bad');
      try {
        await unlessAborted(forever, signal);
      } finally {
        await new Promise(setImmediate);
        stopped.push(item);
      }
    };
    const failure = await together(['a', 'bad', 'b'], work, never).catch((error: Error) => error.message);
    expect([failure, stopped]).to.deep.equal(['bad', ['a', 'b']]);
  });

  it('stops with its caller', async () => {
    const abort = new AbortController();
    const waiting = together([1], (_, signal) => unlessAborted(forever, signal), abort.signal);
    abort.abort(new Error('given up'));
    expect(await waiting.catch((error: Error) => error.message)).to.equal('given up');
  });
});
