import { expect } from 'chai';
import { Builds } from '../../../core/control/builds.js';

const never = new AbortController().signal;
const reason = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: Error) => error.message,
  );

describe('running builds', () => {
  it('answers a build that runs, and one that comes up while somebody waits', async () => {
    const builds = new Builds<string>();
    const early = builds.find('a', 1000, never);
    using _a = builds.add('a', 'build a');
    expect(await early).to.equal('build a');
    expect(await builds.find('a', 0, never)).to.equal('build a');
  });

  it('gives up after its time with the text that clients know', async () => {
    expect(await reason(new Builds().find('x', 1, never))).to.equal('no such job x');
  });

  it('stops waiting when the asker is gone', async () => {
    const abort = new AbortController();
    const waiting = new Builds().find('x', 60_000, abort.signal);
    abort.abort(new Error('gone'));
    expect(await reason(waiting)).to.equal('gone');
  });

  it('knows since when builds run without a break', () => {
    const builds = new Builds<string>();
    const before = Date.now();
    const first = builds.add('a', 'first');
    using _second = builds.add('b', 'second');
    const began = builds.oldestBegan();
    expect(began).to.be.within(before, Date.now());
    first[Symbol.dispose]();
    expect(builds.oldestBegan()).to.be.at.least(began);
  });

  it('refuses a ref that is in use, until its build is over', () => {
    const builds = new Builds<string>();
    {
      using _a = builds.add('a', 'first');
      expect(() => builds.add('a', 'second')).to.throw('a build with ref a is running already');
    }
    using _again = builds.add('a', 'second');
    expect(builds.newest()).to.equal('second');
  });

  it('remembers for a while those that nobody can read about elsewhere', async () => {
    const builds = new Builds<string>();
    builds.add('a', 'first', { lingerMs: 60_000 })[Symbol.dispose]();
    builds.add('b', 'unheard of')[Symbol.dispose]();
    expect(builds.ended('a')).to.equal('first');
    expect(builds.ended('b')).to.equal(undefined);
    expect(builds.peek('a')).to.equal(undefined);
    expect(await reason(builds.find('a', 0, never))).to.equal('no such job a');
    using _again = builds.add('a', 'second');
    expect(builds.peek('a')).to.equal('second');
    builds[Symbol.dispose]();
    expect(builds.ended('a')).to.equal(undefined);
  });
});
