import { expect } from 'chai';
import { RunningBuilds } from '../../../core/control/running-builds.js';
import { deferred, unlessAborted } from '../../../core/util/deferred.js';

const never = new AbortController().signal;
const forever = new Promise<never>(() => {});
const message = (promise: Promise<unknown>): Promise<string> =>
  promise.then(String, (error: Error) => error.message);

describe('running builds of a daemon', () => {
  it('end as they do by themselves', async () => {
    const builds = new RunningBuilds();
    expect(await builds.run(async () => 'built', never)).to.equal('built');
    const failing = async (): Promise<never> => {
      throw new Error('exit code 1');
    };
    expect(await message(builds.run(failing, never))).to.equal('exit code 1');
  });

  it('are canceled by their client', async () => {
    const client = new AbortController();
    const build = new RunningBuilds().run((signal) => unlessAborted(forever, signal), client.signal);
    client.abort(new Error('gone'));
    expect(await message(build)).to.equal('gone');
  });

  it('are canceled and waited for when the daemon stops, and say why', async () => {
    const builds = new RunningBuilds();
    let cleaned = false;
    const build = builds.run(async (signal) => {
      try {
        await unlessAborted(forever, signal);
      } finally {
        await new Promise(setImmediate);
        cleaned = true;
      }
    }, never);
    const told = message(build);
    await builds[Symbol.asyncDispose]();
    expect(cleaned).to.equal(true);
    expect(await told).to.equal('the daemon is stopping: the build was canceled');
    expect(await message(builds.run(async () => 'late', never))).to.match(/stopping/);
  });

  it('are drained: those that run go on, others are refused', async () => {
    const builds = new RunningBuilds();
    const work = deferred<string>();
    const build = builds.run(() => work.promise, never);
    const draining = builds.drain(never).then(() => 'idle');
    expect(await message(builds.run(async () => 'late', never))).to.match(/takes no new builds/);
    expect([builds.count, builds.closed]).to.deep.equal([1, true]);
    work.resolve('built');
    expect([await build, await draining]).to.deep.equal(['built', 'idle']);
  });

  it('are waited for no longer than asked', async () => {
    const builds = new RunningBuilds();
    const told = message(builds.run((signal) => unlessAborted(forever, signal), never));
    const deadline = new AbortController();
    const draining = builds.drain(deadline.signal);
    deadline.abort();
    await draining;
    expect(builds.count).to.equal(1);
    await builds[Symbol.asyncDispose]();
    expect(await told).to.match(/the build was canceled/);
  });
});
