import { expect } from 'chai';
import { notFound } from '../../../core/contracts/errors.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import { receivedList } from '../../../core/contracts/refs.js';
import type { FolderRequest, Session, SyncBase } from '../../../core/contracts/session.js';
import type { SourceContext } from '../../../core/contracts/source.js';
import { parsePlatform } from '../../../core/util/platform.js';
import { LocalSource } from '../../../plugins/sources/local/local-source.js';
import { RecordedProgress } from '../../support/fake-progress.js';
import { fakeSession, fakeSessions, group } from '../../support/fake-session.js';
import { RecordedRefs } from '../../support/recorded-refs.js';

const { signal } = new AbortController();
const platform = parsePlatform('linux/amd64');
describe('local source', () => {
  let refs: RecordedRefs;
  let progress: RecordedProgress;
  let calls: { request: FolderRequest; base: SyncBase | undefined; dest: string | undefined }[];
  /** What the next transfer answers. */
  let list: Uint8Array;
  let unchanged: boolean;
  beforeEach(() => {
    refs = new RecordedRefs();
    progress = new RecordedProgress();
    calls = [];
    list = Buffer.from('a');
    unchanged = false;
  });

  const client = (id = 'session1', names = ['context']): Session =>
    fakeSession({
      id,
      folders: {
        sync: async (request, base, dest, watch) => {
          if (!names.includes(request.name)) {
            throw notFound('session.no-folder', `no access allowed to dir "${request.name}"`);
          }
          calls.push({ request, base, dest: unchanged ? undefined : await dest() });
          watch.transferred(10, false);
          watch.transferred(20, true);
          return unchanged ? { unchanged } : { unchanged, list };
        },
      },
    });
  const open = (attrs: Record<string, string> = {}, ...sessions: Session[]) =>
    new LocalSource(fakeSessions(...(sessions.length > 0 ? sessions : [client()])), silentLogger).open({
      scheme: 'local',
      name: 'context',
      attrs,
      platform,
    });
  const context = (...ids: string[]): SourceContext => ({
    worker: refs.worker,
    sessions: group(...(ids.length > 0 ? ids : ['session1'])),
    progress,
  });

  it('has a key that never persists', async () => {
    const source = open({ 'local.session': 'sess1', 'local.excludepatterns': '["*.log"]' });
    expect(await source.cacheKey(0, context(), signal)).to.deep.equal({
      key: 'session:context:sha256:c669838b072799d3f7beb8989ca71769db4da2b65beb54da480bfdff43ede4c1',
      origin: { kind: 'local', name: 'context' },
      done: true,
    });
  });

  it('keeps what arrived under its shared key, with its list and progress', async () => {
    const ref = await open({ 'local.sharedkeyhint': 'hint', 'local.followpaths': '["l"]' }).fetch(
      context(),
      signal,
    );
    await ref?.[Symbol.asyncDispose]();
    expect(refs.records[0]?.options).to.deep.equal({
      description: 'local source for context',
      type: 'source.local',
      index: 'local:context:hint:shared',
    });
    expect(calls[0]).to.deep.equal({
      request: {
        name: 'context',
        includePatterns: [],
        excludePatterns: [],
        followPaths: ['l'],
        differ: 'metadata',
      },
      base: undefined,
      dest: '/layers/ref1',
    });
    expect(refs.records[0]?.metadata).to.deep.equal(new Map([[receivedList, list]]));
    expect(progress.lines).to.deep.equal(['transferring context:', 'transferring context: done']);
    expect(refs.handles).to.equal(0);
  });

  it('starts from the newest transfer of the same folder', async () => {
    await (await open().fetch(context(), signal))?.[Symbol.asyncDispose]();
    list = Buffer.from('ab');
    await (await open().fetch(context(), signal))?.[Symbol.asyncDispose]();
    await (await open().fetch(context(), signal))?.[Symbol.asyncDispose]();
    expect(calls.map(({ base }) => base?.dir)).to.deep.equal([undefined, '/layers/ref1', '/layers/ref2']);
    expect(calls[2]?.base?.list).to.deep.equal(list);
    expect(refs.handles).to.equal(0);
  });

  it('removes what it replaced, but not what it falls back to', async () => {
    const source = async (): Promise<void> =>
      void (await (await open().fetch(context(), signal))?.[Symbol.asyncDispose]());
    await source();
    list = Buffer.from('b');
    await source();
    expect(refs.removed).to.deep.equal([['ref1']]);
    unchanged = true;
    await source();
    expect(refs.removed.at(-1)).to.deep.equal(['ref1']);
    const broken = fakeSession({ folders: { sync: async () => Promise.reject(new Error('lost')) } });
    await open({}, broken)
      .fetch(context(), signal)
      .catch(() => undefined);
    expect(refs.removed).to.have.length(2);
  });

  it('answers the earlier ref when nothing changed', async () => {
    const first = await open().fetch(context(), signal);
    unchanged = true;
    const second = await open().fetch(context(), signal);
    expect(second?.id).to.equal(first?.id);
    expect(refs.records).to.have.length(1);
    await first?.[Symbol.asyncDispose]();
    await second?.[Symbol.asyncDispose]();
    expect(refs.handles).to.equal(0);
  });

  it('passes on that metadata are not to be trusted', async () => {
    await open().fetch(context(), signal);
    await open({ 'local.differ': 'none' }).fetch(context(), signal);
    expect(calls[1]?.base).to.deep.equal({ dir: '/layers/ref1', list });
    expect(calls[1]?.request.differ).to.equal('none');
  });

  it('keeps a transfer of metadata apart, and knows it by what is excepted', async () => {
    const attrs = { 'local.metadatatransfer': 'true' };
    const excepted = { ...attrs, 'local.metadatatransferexclude': '["a"]' };
    await open(excepted).fetch(context(), signal);
    expect(calls[0]?.request.contentOf).to.deep.equal(['a']);
    expect(refs.records[0]?.options.index).to.equal('local:context::shared:metadata');
    const keys = [{}, attrs, excepted].map(
      async (each) => (await open(each).cacheKey(0, context(), signal)).key,
    );
    expect(new Set(await Promise.all(keys))).to.have.length(3);
  });

  it('asks the other sessions when the named one lacks the folder', async () => {
    const source = open({ 'local.session': 'one' }, client('one', []), client('two'));
    await source.fetch(context('one', 'two'), signal);
    expect(calls).to.have.length(1);
  });

  it('reads a prefixed session as part of the name', async () => {
    const source = open({ 'local.session': 'x:two' }, client('two', ['x-context']));
    await source.fetch(context('two'), signal);
    expect(calls[0]?.request.name).to.equal('x-context');
  });

  it('keeps nothing of a transfer that failed', async () => {
    const broken = fakeSession({
      folders: {
        sync: async (_request, _base, dest) => {
          await dest();
          throw new Error('connection lost');
        },
      },
    });
    const error = await open({}, broken)
      .fetch(context(), signal)
      .catch((reason) => reason);
    expect(error.message).to.equal('connection lost');
    expect([refs.records[0]?.committed, refs.handles]).to.deep.equal([false, 0]);
  });

  it('refuses what it does not support or understand', () => {
    const cases: readonly [Record<string, string>, string][] = [
      [{ 'local.includepatterns': '[]' }, 'did you mean "local.includepattern"?'],
      [
        { 'local.followpaths': 'a' },
        'invalid value "a" for attribute local.followpaths: expected a JSON list of strings',
      ],
      [{ 'local.differ': 'x' }, 'invalid value "x" for attribute local.differ: expected none or metadata'],
    ];
    for (const [attrs, message] of cases) expect(() => open(attrs)).to.throw(message);
  });
});
