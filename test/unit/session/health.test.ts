import { expect } from 'chai';
import { watchHealth } from '../../../core/session/health.js';
import { ManualClock } from '../../support/manual-clock.js';

/** Runs the watch with scripted answers: true, false, or undefined for none at all. */
function watch(answers: readonly (boolean | undefined)[], customTimeout?: number) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const checks: number[] = [];
  const outcome = { value: undefined as string | undefined };
  const check = (signal: AbortSignal): Promise<void> => {
    const answer = answers[checks.length];
    checks.push(clock.now());
    if (answer === true) return Promise.resolve();
    if (answer === false) return Promise.reject(new Error('broken'));
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const done = watchHealth({ clock, check, customTimeout, onSlow: () => {} }, stop.signal).then((value) => {
    outcome.value = value;
  });
  return { clock, stop, checks, outcome, done };
}

describe('session health', () => {
  it('asks every five seconds, first after five', async () => {
    const { clock, checks, outcome } = watch([true, true, true]);
    for (let i = 0; i < 3; i++) await clock.pass(5_000);
    expect({ checks, outcome: outcome.value }).to.deep.equal({
      checks: [5_000, 10_000, 15_000],
      outcome: undefined,
    });
  });

  it('drops a client after two failures in a row', async () => {
    const { clock, outcome } = watch([false, true, false, false]);
    for (let i = 0; i < 3; i++) await clock.pass(5_000);
    expect(outcome.value).to.equal(undefined);
    await clock.pass(5_000);
    expect(outcome.value).to.equal('gone');
  });

  it('waits fifteen seconds for an answer', async () => {
    const { clock, checks } = watch([undefined, true]);
    await clock.pass(5_000);
    await clock.pass(14_999);
    expect(checks).to.deep.equal([5_000]);
    await clock.pass(1);
    await clock.pass(5_000);
    expect(checks).to.deep.equal([5_000, 25_000]);
  });

  it('takes a client’s own timeout, at least a second, and then one failure is enough', async () => {
    const { clock, checks, outcome } = watch([true, undefined], 10);
    await clock.pass(1_000);
    await clock.pass(1_000);
    await clock.pass(1_000);
    expect({ checks, outcome: outcome.value }).to.deep.equal({ checks: [1_000, 2_000], outcome: 'gone' });
  });

  it('stops with its session', async () => {
    const { clock, stop, outcome, done } = watch([true]);
    stop.abort();
    await done;
    expect({ outcome: outcome.value, pending: clock.pending }).to.deep.equal({
      outcome: 'stopped',
      pending: 0,
    });
  });
});
