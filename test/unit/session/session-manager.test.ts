import { expect } from 'chai';
import { notFound } from '../../../core/contracts/errors.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import type { Session } from '../../../core/contracts/session.js';
import { silentTracing } from '../../../core/contracts/tracing.js';
import { SessionManager } from '../../../core/session/session-manager.js';
import { fakeSession, group } from '../../support/fake-session.js';
import { InlineThreads } from '../../support/inline-threads.js';
import { ManualClock } from '../../support/manual-clock.js';

const never = new AbortController().signal;

function manager(): { sessions: SessionManager; clock: ManualClock } {
  const clock = new ManualClock();
  const threads = new InlineThreads();
  return {
    clock,
    sessions: new SessionManager({ logger: silentLogger, tracing: silentTracing, threads, clock }),
  };
}

const idOf = async (session: Promise<Session>): Promise<string> => (await session).id;
const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: Error) => error.message,
  );

describe('session manager', () => {
  it('finds a session by its id, whatever the prefix', async () => {
    const { sessions } = manager();
    sessions.attach(fakeSession({ id: 'abc' }));
    expect(await Promise.all(['abc', 'p:abc'].map((id) => idOf(sessions.get(id, never))))).to.deep.equal([
      'abc',
      'abc',
    ]);
  });

  it('waits for a session that arrives later', async () => {
    const { sessions } = manager();
    const found = idOf(sessions.get('late', never));
    sessions.attach(fakeSession({ id: 'other' }));
    sessions.attach(fakeSession({ id: 'late' }));
    expect(await found).to.equal('late');
  });

  it('gives up after five seconds', async () => {
    const { sessions, clock } = manager();
    const failure = messageOf(sessions.get('nobody', never));
    clock.advance(4_999);
    clock.advance(1);
    expect(await failure).to.equal('no active session for nobody: context deadline exceeded');
    expect(clock.pending).to.equal(0);
  });

  it('stops waiting when its caller does', async () => {
    const { sessions, clock } = manager();
    const stop = new AbortController();
    const failure = messageOf(sessions.get('nobody', stop.signal));
    stop.abort();
    expect(await failure).to.equal('context canceled');
    expect(clock.pending).to.equal(0);
  });

  it('forgets a session with its handle, but not one that took its place', async () => {
    const { sessions, clock } = manager();
    const first = sessions.attach(fakeSession({ id: 's', sharedKey: 'first' }));
    sessions.attach(fakeSession({ id: 's', sharedKey: 'second' }));
    first[Symbol.dispose]();
    expect((await sessions.get('s', never)).sharedKey).to.equal('second');
    expect(clock.pending).to.equal(0);
  });

  it('asks the next session where one has not got it', async () => {
    const { sessions } = manager();
    for (const id of ['a', 'b', 'c']) sessions.attach(fakeSession({ id }));
    const asked: string[] = [];
    const answer = await sessions.any(
      group('a', 'b', 'c'),
      async ({ id }) => {
        asked.push(id);
        if (id !== 'b') throw notFound('x.y', `nothing at ${id}`);
        return id;
      },
      never,
    );
    expect({ answer, asked }).to.deep.equal({ answer: 'b', asked: ['a', 'b'] });
  });

  it('does not ask further after a real failure', async () => {
    const { sessions } = manager();
    for (const id of ['a', 'b']) sessions.attach(fakeSession({ id }));
    const use = (): Promise<never> => Promise.reject(new Error('disk full'));
    expect(await messageOf(sessions.any(group('a', 'b'), use, never))).to.equal('disk full');
  });

  it('says so when there is no session at all', async () => {
    const { sessions } = manager();
    expect(await messageOf(sessions.any(group(), async () => 1, never))).to.equal('no active sessions');
  });

  it('refuses a connection without an id', async () => {
    const { sessions } = manager();
    const failure = messageOf(sessions.accept({ metadata: () => [], duplex: undefined as never }));
    expect(await failure).to.contain('x-docker-expose-session-uuid');
  });
});
