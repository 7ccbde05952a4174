import { once } from 'node:events';
import { setTimeout as later, setImmediate as turn } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { expect } from 'chai';
import { ActiveValue } from '../../../../core/util/active-value.js';

interface Named {
  readonly name: string;
}

describe('ActiveValue', () => {
  let active: ActiveValue<Named>;
  beforeEach(() => {
    active = new ActiveValue();
  });
  afterEach(() => active[Symbol.dispose]());

  const seen = (): string | undefined => active.get()?.name;

  it('is what the innermost function was run with, and nothing outside', async () => {
    const names: (string | undefined)[] = [];
    active.run({ name: 'outer' }, () => {
      names.push(seen());
      active.run({ name: 'inner' }, () => names.push(seen()));
      names.push(seen());
    });
    names.push(seen());
    expect(names).to.deep.equal(['outer', 'inner', 'outer', undefined]);
  });

  it('goes along across awaits of promises, timers, events and other threads', async () => {
    const { port1, port2 } = new MessageChannel();
    const work = async (): Promise<void> => {
      for (const pause of [() => null, turn, () => later(1), () => Promise.all([null, turn()])]) {
        await pause();
        expect(seen()).to.equal('work');
      }
      const received = once(port1, 'message');
      port2.postMessage('x');
      await received;
      expect(seen()).to.equal('work');
      for await (const _ of (async function* () {
        yield* [1, 2];
      })())
        expect(seen()).to.equal('work');
      await Promise.reject(new Error('x')).catch(() => expect(seen()).to.equal('work'));
    };
    await active.run({ name: 'work' }, work);
    port1.close();
    expect(seen()).to.equal(undefined);
  });

  it('keeps functions apart that take turns', async () => {
    const work = async (name: string): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        await turn();
        expect(seen()).to.equal(name);
        await active.run({ name: `${name} below` }, async () => {
          await turn();
          expect(seen()).to.equal(`${name} below`);
        });
        expect(seen()).to.equal(name);
      }
    };
    await Promise.all(['a', 'b', 'c'].map((name) => active.run({ name }, () => work(name))));
  });

  it('is that of whoever awaits, and not of whoever resolves', async () => {
    let resolve = (): void => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    const waiting = active.run({ name: 'waiting' }, async () => {
      await promise;
      return seen();
    });
    await active.run({ name: 'resolving' }, async () => resolve());
    expect(await waiting).to.equal('waiting');
  });

  it('is gone once disposed', async () => {
    const late = active.run({ name: 'x' }, () => turn().then(seen));
    active[Symbol.dispose]();
    expect(await late).to.equal(undefined);
  });
});
