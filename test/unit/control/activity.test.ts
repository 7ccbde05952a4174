import { expect } from 'chai';
import { canceled } from '../../../core/contracts/index.js';
import { Activity, type EndedBuild } from '../../../core/control/activity.js';
import { deferred } from '../../../core/util/deferred.js';

const build = { ref: 'r', frontend: 'dockerfile.v0' };

describe('activity of a daemon', () => {
  it('shows builds that run, and how they ended with the steps they had', async () => {
    const activity = new Activity();
    const seen: EndedBuild[] = [];
    using _watching = activity.onEnd((ended) => seen.push(ended));
    const work = deferred<void>();
    const steps = [{ outcome: 'ran' }, { outcome: 'cached' }, { outcome: 'cached' }] as never;
    const running = activity.note(
      build,
      () => steps,
      () => work.promise,
    );
    expect(activity.running().map(({ ref }) => ref)).to.deep.equal(['r']);
    work.resolve();
    await running;
    expect(activity.running()).to.deep.equal([]);
    expect(seen.map(({ outcome, steps: counts, error }) => [outcome, counts, error])).to.deep.equal([
      ['completed', { ran: 1, cached: 2 }, ''],
    ]);
  });

  it('tells cancellation from failure', async () => {
    const activity = new Activity();
    for (const error of [canceled(), new Error('exit code 1')]) {
      const ending = activity.note(
        build,
        () => undefined,
        () => Promise.reject(error),
      );
      expect(
        await ending.then(
          () => undefined,
          (thrown: unknown) => thrown,
        ),
      ).to.equal(error);
    }
    expect(activity.ended().map(({ outcome, error }) => [outcome, error])).to.deep.equal([
      ['failed', 'exit code 1'],
      ['canceled', 'context canceled'],
    ]);
  });

  it('remembers a bounded number of builds', async () => {
    const activity = new Activity();
    for (let at = 0; at < 60; at++)
      await activity.note(
        { ...build, ref: String(at) },
        () => undefined,
        async () => {},
      );
    expect([activity.ended().length, activity.ended()[0]?.ref]).to.deep.equal([50, '59']);
  });
});
