import fs from 'node:fs';
import path from 'node:path';
import v8 from 'node:v8';
import { expect } from 'chai';
import { BuildError } from '../../../../core/contracts/errors.js';
import { type FileAction, type FileStep, FileStepError } from '../../../../core/contracts/files.js';
import { silentProgress } from '../../../../core/contracts/progress.js';
import type { ImmutableRef, MutableRef } from '../../../../core/contracts/refs.js';
import type { Threads } from '../../../../core/contracts/threads.js';
import { silentTracing } from '../../../../core/contracts/tracing.js';
import { LocalFileEngine } from '../../../../core/files/local-file-engine.js';
import { dirRef, writableDirRef } from '../../../support/dir-refs.js';
import { InlineThreads } from '../../../support/inline-threads.js';
import { makeTempDir, makeTree, type TreeSpec, tellTree } from '../../../support/trees.js';

const never = new AbortController().signal;
const day = 86_400_000_000_000n;

type Copy = Extract<FileAction, { kind: 'copy' }>;
const copyOf = (src: string, dest: string, more: Partial<Copy> = {}): Copy => ({
  kind: 'copy',
  src,
  dest,
  followSymlink: true,
  dirCopyContents: true,
  attemptUnpack: false,
  createDestPath: true,
  allowWildcard: true,
  allowEmptyWildcard: false,
  timestamp: undefined,
  includePatterns: [],
  excludePatterns: [],
  requiredPaths: [],
  alwaysReplaceExistingDestPaths: false,
  ...more,
});

describe('LocalFileEngine', () => {
  const engine = new LocalFileEngine({ threads: new InlineThreads(), tracing: silentTracing });
  let temp: string;
  let target: MutableRef;
  let top: string;
  let sourceDir: string;
  let sources = 0;

  beforeEach(() => {
    temp = makeTempDir();
    top = makeTree(path.join(temp, 'top'), {});
    target = writableDirRef(top);
  });
  afterEach(() => fs.rmSync(temp, { recursive: true, force: true }));

  const apply = (action: FileAction, source?: TreeSpec): Promise<void> => {
    if (source) sourceDir = makeTree(path.join(temp, `source${sources++}`), source);
    return applyAll([{ action, source: source && dirRef(sourceDir) }]);
  };
  const applyAll = (steps: readonly FileStep[]): Promise<void> =>
    engine.apply(target, steps, silentProgress, never);
  const failure = (promise: Promise<unknown>): Promise<BuildError> =>
    promise.then(
      () => expect.fail('did not fail'),
      (error) => {
        const why = error instanceof FileStepError ? error.cause : error;
        expect(why).to.be.instanceOf(BuildError);
        return why as BuildError;
      },
    );
  const over = (...lower: readonly TreeSpec[]): void => {
    target = writableDirRef(top, ...lower.map((spec, at) => makeTree(path.join(temp, `lower${at}`), spec)));
  };

  describe('a step', () => {
    const mkfileOf = (data: Uint8Array, more: Partial<Extract<FileAction, { kind: 'mkfile' }>> = {}) =>
      ({ kind: 'mkfile', path: '/f', mode: 0o644, data, timestamp: undefined, ...more }) as const;
    const threadsOf = async (...actions: readonly FileAction[]): Promise<readonly string[]> => {
      const threads = new InlineThreads();
      const own = new LocalFileEngine({ threads, tracing: silentTracing });
      const steps = actions.map((action) => ({ action, source: undefined }));
      await own.apply(target, steps, silentProgress, never);
      return threads.ran;
    };

    it('that makes something small needs no thread', async () => {
      const made = { mode: 0o755, makeParents: false, timestamp: undefined };
      const ran = await threadsOf({ kind: 'mkdir', path: '/d', ...made }, mkfileOf(Buffer.from('x')), {
        kind: 'symlink',
        oldpath: 'f',
        newpath: '/d/l',
        timestamp: undefined,
      });
      expect(ran).to.deep.equal([]);
      expect(tellTree(top)).to.deep.equal({ d: 'dir', 'd/l': '-> f', f: 'x' });
    });

    it('that is large, or needs to look up a name, goes to a thread', async () => {
      expect(await threadsOf(mkfileOf(Buffer.alloc(1 << 20)))).to.deep.equal(['file-actions']);
      const owner = { user: { name: 'root', in: undefined } };
      expect(await threadsOf(mkfileOf(Buffer.from('x'), { owner }))).to.deep.equal(['file-actions']);
    });

    it('that fails is told by its place', async () => {
      const fine = { action: mkfileOf(Buffer.from('x')), source: undefined };
      const wrong = { action: mkfileOf(Buffer.from('x'), { path: '/none/f' }), source: undefined };
      const error = await engine.apply(target, [fine, wrong], silentProgress, never).then(
        () => expect.fail('did not fail'),
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(FileStepError).and.include({ step: 1 });
      expect((error as FileStepError).cause).to.include({
        message: 'open /none/f: no such file or directory',
      });
    });
  });

  describe('copy', () => {
    const project: TreeSpec = { 'a.txt': 'a', 'b.md': 'b', dir: { 'c.txt': 'c', deep: { 'd.txt': 'd' } } };
    const cases: readonly (readonly [
      says: string,
      action: Copy,
      expected: Readonly<Record<string, string>>,
    ])[] = [
      ['a file to a name', copyOf('/a.txt', '/x'), { x: 'a' }],
      ['a file into a directory it makes', copyOf('/a.txt', '/x/'), { x: 'dir', 'x/a.txt': 'a' }],
      [
        'contents of a directory',
        copyOf('/dir', '/x'),
        { x: 'dir', 'x/c.txt': 'c', 'x/deep': 'dir', 'x/deep/d.txt': 'd' },
      ],
      [
        'a directory itself onto a new name',
        copyOf('/dir/deep', '/x', { dirCopyContents: false }),
        { x: 'dir', 'x/d.txt': 'd' },
      ],
      ['what a wildcard names', copyOf('/*.txt', '/x/'), { x: 'dir', 'x/a.txt': 'a' }],
      ['what a wildcard names in a directory', copyOf('/d*/c*', '/'), { 'c.txt': 'c' }],
      [
        'what include patterns leave, with the directories on the way',
        copyOf('/', '/x', { includePatterns: ['**/d.txt'] }),
        { x: 'dir', 'x/dir': 'dir', 'x/dir/deep': 'dir', 'x/dir/deep/d.txt': 'd' },
      ],
      [
        'what exclude patterns leave',
        copyOf('/', '/x', { excludePatterns: ['dir/deep', '*.md'] }),
        { x: 'dir', 'x/a.txt': 'a', 'x/dir': 'dir', 'x/dir/c.txt': 'c' },
      ],
      [
        'what a negation takes back',
        copyOf('/', '/x', { excludePatterns: ['*', '!dir/deep'] }),
        { x: 'dir', 'x/dir': 'dir', 'x/dir/deep': 'dir', 'x/dir/deep/d.txt': 'd' },
      ],
      [
        'nothing for an empty wildcard that is allowed',
        copyOf('/q*', '/x/', { allowEmptyWildcard: true }),
        {},
      ],
    ];
    for (const [says, action, expected] of cases) {
      it(`copies ${says}`, async () => {
        await apply(action, project);
        expect(tellTree(top)).to.deep.equal(expected);
      });
    }

    it('puts a directory below an existing one unless its contents are meant', async () => {
      over({ x: { old: 'old' } });
      await apply(copyOf('/dir/deep', '/x', { dirCopyContents: false }), project);
      expect(tellTree(top)).to.deep.equal({ x: 'dir', 'x/deep': 'dir', 'x/deep/d.txt': 'd' });
    });

    it('hard-links what keeps its metadata, and keeps times of files and directories', async () => {
      const dir = makeTree(path.join(temp, 'made'), project);
      fs.utimesSync(path.join(dir, 'dir'), 1000, 1000);
      await applyAll([{ action: copyOf('/dir', '/x'), source: dirRef(dir) }]);
      expect(fs.statSync(path.join(top, 'x/c.txt')).ino).to.equal(
        fs.statSync(path.join(dir, 'dir/c.txt')).ino,
      );
      expect(fs.statSync(path.join(top, 'x')).mtimeMs).to.equal(1_000_000);
    });

    it('makes a new inode when the mode or the time changes, and leaves the source alone', async () => {
      await apply(copyOf('/a.txt', '/x', { modeStr: 'u+x,go=', timestamp: day }), project);
      const stat = fs.statSync(path.join(top, 'x'), { bigint: true });
      expect([Number(stat.mode) & 0o777, stat.mtimeNs]).to.deep.equal([0o700, day]);
      expect(fs.statSync(path.join(sourceDir, 'a.txt')).mode & 0o777).to.equal(0o644);
    });

    it('links an inode into a layer only once, so that copies never look like hard links', async () => {
      const ref = dirRef(makeTree(path.join(temp, 'twice'), { a: 'a' }));
      await applyAll([{ action: copyOf('/a', '/x'), source: ref }]);
      await applyAll([{ action: copyOf('/a', '/y'), source: ref }]);
      expect(fs.statSync(path.join(top, 'x')).ino).not.to.equal(fs.statSync(path.join(top, 'y')).ino);
    });

    it('links an inode only once over the steps of one call, too', async () => {
      const source = dirRef(makeTree(path.join(temp, 'twice'), { a: 'a' }));
      await applyAll([
        { action: copyOf('/a', '/x'), source },
        { action: copyOf('/a', '/y'), source },
      ]);
      expect(fs.statSync(path.join(top, 'x')).ino).not.to.equal(fs.statSync(path.join(top, 'y')).ino);
    });

    it('keeps hard links of the source inside one copy', async () => {
      await apply(copyOf('/', '/x'), { a: 'a', b: { same: 'a' } });
      expect(fs.statSync(path.join(top, 'x/a')).ino).to.equal(fs.statSync(path.join(top, 'x/b')).ino);
    });

    it('reads through links inside the source, never out of it', async () => {
      await apply(copyOf('/link/passwd', '/x'), { link: { link: '/etc' }, etc: { passwd: 'mine' } });
      expect(tellTree(top)).to.deep.equal({ x: 'mine' });
    });

    it('writes through links inside the target, never out of it', async () => {
      over({ lib: { link: '/../../usr/lib' }, usr: { lib: { kept: '' } } });
      await apply(copyOf('/a.txt', '/lib/'), project);
      expect(tellTree(top)).to.deep.equal({ usr: 'dir', 'usr/lib': 'dir', 'usr/lib/a.txt': 'a' });
    });

    it('says what is missing and what is there instead', async () => {
      const error = await failure(apply(copyOf('/dir/c.tx', '/x'), project));
      expect([error.grpcCode, error.message, error.hint]).to.deep.equal([
        'NotFound',
        'lstat /dir/c.tx: no such file or directory',
        'Did you mean /dir/c.txt?',
      ]);
    });

    it('refuses a missing destination directory when it may not make it', async () => {
      const error = await failure(apply(copyOf('/a.txt', '/x/y', { createDestPath: false }), project));
      expect(error.message).to.equal('failed to stat /x/y: lstat /x: no such file or directory');
    });

    it('refuses a wildcard without matches', async () => {
      expect((await failure(apply(copyOf('/q*', '/x'), project))).message).to.equal('/q* not found');
    });

    it('does not replace a directory by a file, unless told to', async () => {
      const source = { x: 'file' };
      await apply({ kind: 'mkdir', path: '/x/y', mode: 0o755, makeParents: true, timestamp: undefined });
      expect((await failure(apply(copyOf('/', '/'), source))).message).to.equal(
        'cannot replace to directory /x with file',
      );
      await apply(copyOf('/', '/', { alwaysReplaceExistingDestPaths: true }), source);
      expect(tellTree(top)).to.deep.equal({ x: 'file' });
    });

    it('asks for required paths', async () => {
      const action = copyOf('/', '/', { includePatterns: ['*.txt'], requiredPaths: ['/b.md'] });
      expect((await failure(apply(action, project))).message).to.equal('"/b.md": not found');
    });

    it('asks for none where nothing is filtered, as BuildKit', async () => {
      await apply(copyOf('/', '/', { requiredPaths: ['*.md'] }), project);
      expect(tellTree(top)).to.include.keys('a.txt');
    });

    it('resolves owners by the names of a tree', async () => {
      const { uid, gid } = fs.statSync(temp);
      const etc = makeTree(path.join(temp, 'etc-tree'), {
        etc: { passwd: `root:x:0:0::/:/bin/sh\nme:x:${uid}:7::/:\n`, group: `us:x:${gid}:\n` },
      });
      const named = dirRef(etc);
      const owner = { user: { name: 'me', in: named }, group: { name: 'us', in: named } };
      await apply(copyOf('/a.txt', '/x', { owner }), project);
      const stat = fs.statSync(path.join(top, 'x'));
      expect([stat.uid, stat.gid]).to.deep.equal([uid, gid]);
    });
  });

  describe('mkfile, mkdir, symlink and rm', () => {
    it('writes a file with its mode and time', async () => {
      await apply({ kind: 'mkfile', path: '/f', mode: 0o640, data: Buffer.from('hi'), timestamp: day });
      const stat = fs.statSync(path.join(top, 'f'), { bigint: true });
      expect([tellTree(top), Number(stat.mode) & 0o777, stat.mtimeNs]).to.deep.equal([
        { f: 'hi' },
        0o640,
        day,
      ]);
    });

    it('writes through a link and keeps the mode of what is there', async () => {
      over({ l: { link: 'f' }, f: 'old' });
      await apply({
        kind: 'mkfile',
        path: '/l',
        mode: 0o600,
        data: Buffer.from('new'),
        timestamp: undefined,
      });
      expect(tellTree(top)).to.deep.equal({ f: 'new' });
      expect(fs.statSync(path.join(top, 'f')).mode & 0o777).to.equal(0o644);
    });

    it('refuses a file below nothing', async () => {
      const action = {
        kind: 'mkfile',
        path: '/a/b',
        mode: 0o600,
        data: Buffer.alloc(0),
        timestamp: undefined,
      } as const;
      expect((await failure(apply(action))).message).to.equal('open /a/b: no such file or directory');
    });

    it('makes parents only when asked', async () => {
      const action = {
        kind: 'mkdir',
        path: '/a/b',
        mode: 0o750,
        makeParents: false,
        timestamp: day,
      } as const;
      expect((await failure(apply(action))).message).to.equal('mkdir /a/b: no such file or directory');
      await apply({ ...action, makeParents: true });
      expect(fs.statSync(path.join(top, 'a')).mode & 0o777).to.equal(0o750);
    });

    it('copies up the directories on the way with mode and times', async () => {
      over({ a: { b: { old: '' } } });
      const lower = path.join(temp, 'lower0');
      fs.chmodSync(path.join(lower, 'a'), 0o711);
      fs.utimesSync(path.join(lower, 'a'), 1000, 1000);
      await apply({
        kind: 'mkfile',
        path: '/a/b/new',
        mode: 0o644,
        data: Buffer.from(''),
        timestamp: undefined,
      });
      const a = fs.statSync(path.join(top, 'a'));
      expect([tellTree(top), a.mode & 0o777, a.mtimeMs]).to.deep.equal([
        { a: 'dir', 'a/b': 'dir', 'a/b/new': '' },
        0o711,
        1_000_000,
      ]);
    });

    it('makes a link with any target, but not over something', async () => {
      const action = { kind: 'symlink', oldpath: '../x', newpath: '/l', timestamp: day } as const;
      await apply(action);
      expect(tellTree(top)).to.deep.equal({ l: '-> ../x' });
      await apply({ kind: 'mkfile', path: '/f', mode: 0o600, data: Buffer.alloc(0), timestamp: undefined });
      expect((await failure(apply({ ...action, newpath: '/f' }))).grpcCode).to.equal('AlreadyExists');
    });

    it('removes by path and by wildcard, and minds what is missing', async () => {
      makeTree(top, { a1: '', a2: { x: '' }, b: '' });
      const action = { kind: 'rm', path: '/a*', allowNotFound: false, allowWildcard: true } as const;
      await apply(action);
      expect(tellTree(top)).to.deep.equal({ b: '' });
      const missing = { ...action, path: '/c', allowWildcard: false };
      expect((await failure(apply(missing))).message).to.equal('stat /c: no such file or directory');
      await apply({ ...missing, allowNotFound: true });
    });
  });

  describe('reading', () => {
    let tree: ImmutableRef;
    beforeEach(() => {
      tree = dirRef(
        makeTree(path.join(temp, 'upper'), { dir: { 'b.txt': 'upper' }, l: { link: 'dir/b.txt' } }),
        makeTree(path.join(temp, 'under'), {
          dir: { 'a.txt': 'lower', 'b.txt': 'hidden', sub: { 'x.md': '' } },
        }),
      );
    });

    it('reads files of any layer, also in part and through links', async () => {
      const read = async (name: string, range = { offset: 0 }): Promise<string> =>
        Buffer.from(await engine.readFile(tree, name, range, never)).toString();
      expect([await read('/l'), await read('dir/a.txt', { offset: 1 })]).to.deep.equal(['upper', 'ower']);
    });

    it('needs no thread for what is small and cannot block', async () => {
      const threads = new InlineThreads();
      const counted = new LocalFileEngine({ threads, tracing: silentTracing });
      const many = dirRef(makeTree(path.join(temp, 'sizes'), { small: 'x', large: 'y'.repeat(300_000) }));
      const size = async (name: string, length?: number): Promise<number> => {
        const range = { offset: 0, ...(length === undefined ? {} : { length }) };
        return (await counted.readFile(many, name, range, never)).length;
      };
      expect([await size('small'), await size('large', 10), threads.ran]).to.deep.equal([1, 10, []]);
      expect([await size('large'), threads.ran]).to.deep.equal([300_000, ['read-tree']]);
    });

    it('lists a directory with Go modes, filtered by a pattern', async () => {
      const all = await engine.readDir(tree, '/dir', undefined, never);
      expect(all.map((stat) => [stat.path, stat.size])).to.deep.equal([
        ['a.txt', 5],
        ['b.txt', 5],
        ['sub', 0],
      ]);
      expect(all[2]!.mode >= 2 ** 31).to.equal(true);
      const some = await engine.readDir(tree, '/dir', 'sub/*.md', never);
      expect(some.map((stat) => stat.path)).to.deep.equal(['sub']);
    });

    it('answers a missing path as the Go runtime does', async () => {
      const error = await failure(engine.statFile(tree, '/dir/none', never));
      expect(error.message).to.equal('lstat /dir/none: no such file or directory');
    });
  });

  it('says which of several steps failed, and leaves what those before it did', async () => {
    const made: FileAction = { kind: 'mkdir', path: '/a', mode: 0o755, makeParents: false, timestamp: 0n };
    const gone: FileAction = { kind: 'rm', path: '/none', allowNotFound: false, allowWildcard: false };
    const steps = [made, gone, made].map((action) => ({ action, source: undefined }));
    const error = await applyAll(steps).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(FileStepError).and.to.include({ step: 1 });
    expect(tellTree(top)).to.deep.equal({ a: 'dir' });
  });

  it('sends data without the message it is part of', async () => {
    const sent: unknown[] = [];
    const watched: Threads = {
      run: async (_task, args) => {
        sent.push(args);
        return { linked: new Float64Array() } as never;
      },
    };
    const data = new Uint8Array(1 << 20).subarray(0, 10);
    const action: FileAction = { kind: 'mkfile', path: '/a', mode: 0o644, data, timestamp: undefined };
    const watchedEngine = new LocalFileEngine({ threads: watched, tracing: silentTracing });
    await watchedEngine.apply(target, [{ action, source: undefined }], silentProgress, never);
    expect(v8.serialize(sent[0]).length).to.be.below(1000);
  });
});
