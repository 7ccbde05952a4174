import { expect } from 'chai';
import { RunningBuilds } from '../../../core/control/running-builds.js';
import { unlessAborted } from '../../../core/util/deferred.js';

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
});
