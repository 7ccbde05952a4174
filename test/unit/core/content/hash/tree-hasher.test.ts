import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { TreeHasher } from '../../../../../core/content/hash/tree-hasher.js';
import { silentProgress } from '../../../../../core/contracts/progress.js';
import {
  type ContentHashOptions,
  type ImmutableRef,
  type ReceivedEntry,
  receivedList,
} from '../../../../../core/contracts/refs.js';
import type { Threads } from '../../../../../core/contracts/threads.js';
import { silentTracing } from '../../../../../core/contracts/tracing.js';
import { encodeList } from '../../../../../core/transfer/received-list.js';
import { deferred } from '../../../../../core/util/deferred.js';
import { goModeOf } from '../../../../../core/util/gofs/mode.js';
import { tarsumHeader } from '../../../../../core/util/tarsum.js';
import { dirRef } from '../../../../support/dir-refs.js';
import { InlineThreads } from '../../../../support/inline-threads.js';
import { makeTempDir, makeTree } from '../../../../support/trees.js';

const signal = new AbortController().signal;
const plain: ContentHashOptions = {
  wildcard: false,
  followLinks: false,
  includePatterns: [],
  excludePatterns: [],
};

describe('TreeHasher', () => {
  let dir: string;
  let threads: InlineThreads;
  let hasher: TreeHasher;
  beforeEach(() => {
    dir = makeTree(makeTempDir(), { 'a.txt': 'a', dir: { 'b.txt': 'b' } });
    threads = new InlineThreads();
    hasher = new TreeHasher({ threads, tracing: silentTracing });
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  const ask = (ref: ImmutableRef | undefined, at: string, of = hasher): Promise<string> =>
    of.digest(ref, at, plain, silentProgress, signal);

  it('asks a tree each question once, also after a restart', async () => {
    const ref = dirRef(dir);
    const digest = await ask(ref, '/');
    expect(await ask(ref, '/')).to.equal(digest);
    expect(await ask(ref, '/', new TreeHasher({ threads, tracing: silentTracing }))).to.equal(digest);
    expect(threads.ran).to.deep.equal(['content-hash']);
  });

  it('reads no file twice for different questions', async () => {
    const ref = dirRef(dir);
    await ask(ref, '/');
    const file = await ask(ref, '/dir/b.txt');
    fs.writeFileSync(path.join(dir, 'dir/b.txt'), 'changed behind its back');
    expect(await ask(ref, '/dir/b.txt/.')).to.equal(file);
  });

  it('reads one small file without a thread, and finds what a thread finds', async () => {
    const [small, whole] = [dirRef(dir), dirRef(dir)];
    const digest = await ask(small, '/dir/b.txt');
    expect(threads.ran).to.deep.equal([]);
    await ask(whole, '/');
    expect(await ask(whole, '/dir/b.txt')).to.equal(digest);
  });

  it('leaves large files to threads', async () => {
    fs.writeFileSync(path.join(dir, 'large'), Buffer.alloc(1 << 20));
    await ask(dirRef(dir), '/large');
    expect(threads.ran).to.deep.equal(['content-hash']);
  });

  it('answers the same two questions at once', async () => {
    const ref = dirRef(dir);
    const [one, two] = await Promise.all([ask(ref, '/'), ask(ref, '/')]);
    expect([one, threads.ran]).to.deep.equal([two, ['content-hash']]);
  });

  it('lets a question go that waits for another one and is not wanted any more', async () => {
    const opened = deferred<void>();
    const slow: Threads = {
      run: async (task, args, options) => {
        await opened.promise;
        return threads.run(task, args, options);
      },
    };
    const hashing = new TreeHasher({ threads: slow, tracing: silentTracing });
    const ref = dirRef(dir);
    const first = ask(ref, '/', hashing);
    const abort = new AbortController();
    const second = hashing.digest(ref, '/dir', plain, silentProgress, abort.signal);
    abort.abort(new Error('given up'));
    expect(await second.catch((error: Error) => error.message)).to.equal('given up');
    opened.resolve();
    expect(await first).to.equal(await ask(ref, '/'));
  });

  it('takes the digests of a tree that was hashed while it arrived', async () => {
    const stat = (at: string, stMode: number, size: number): ReceivedEntry => ({
      path: at,
      mode: goModeOf(stMode),
      uid: 0,
      gid: 0,
      size,
      modTime: 0n,
      linkname: '',
      devmajor: 0,
      devminor: 0,
      xattrs: {},
    });
    const recordSha256 = (entry: ReceivedEntry, content: string): string =>
      createHash('sha256').update(tarsumHeader(entry)).update(content).digest('hex');
    const file = stat('a.txt', 0o100600, 7);
    const ref = dirRef(dir);
    const list = [{ ...file, recordSha256: recordSha256(file, 'as sent') }, stat('dir', 0o040755, 0)];
    await ref.metadata.set(receivedList, encodeList(list));
    expect(await ask(ref, '/a.txt')).to.equal(`sha256:${recordSha256(file, 'as sent')}`);
  });
});
