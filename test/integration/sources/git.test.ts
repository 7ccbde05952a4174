import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Session } from '../../../core/contracts/session.js';
import type { OpenSource } from '../../../core/contracts/source.js';
import { parsePlatform } from '../../../core/util/platform.js';
import { type RunGit, runGit } from '../../../plugins/sources/git/git-process.js';
import { GitSource } from '../../../plugins/sources/git/git-source.js';
import { fakeSession, fakeSessions } from '../../support/fake-session.js';
import { InlineThreads } from '../../support/inline-threads.js';
import { namesIn, SourceWorld, secretSession } from '../../support/source-world.js';
import { GitServer, git, newRepository, publish } from '../support/git-http-server.js';

const never = new AbortController().signal;
const platform = parsePlatform('linux/amd64');

describe('git source', () => {
  let world: SourceWorld;
  let server: GitServer;
  let source: GitSource;
  let work: string;
  let bare: string;
  let first: string;
  let second: string;
  /** Arguments of every git that ran. */
  let ran: string[];

  const makeSource = (...sessions: Session[]): GitSource => {
    const run: RunGit = (command, signal) => {
      ran.push(command.args.join(' '));
      return runGit(command, signal);
    };
    const clients = sessions.length > 0 ? sessions : [fakeSession({ id: 'one' }), fakeSession({ id: 'two' })];
    return new GitSource(fakeSessions(...clients), new InlineThreads(), run);
  };

  beforeEach(async () => {
    world = await SourceWorld.open();
    ran = [];
    [work, bare] = [world.path('work'), world.path('git/r.git')];
    fs.mkdirSync(world.path('git'));
    await newRepository(work, bare);
    write({ 'a.txt': 'one', 'sub/b.txt': 'two', 'sub/deep/c': 'three' });
    fs.chmodSync(path.join(work, 'a.txt'), 0o755);
    fs.symlinkSync('sub', path.join(work, 'link'));
    fs.symlinkSync(world.dir, path.join(work, 'outside'));
    first = await publish(work, bare, 'first');
    await git(work, 'tag', 'light');
    await git(work, 'tag', '-a', 'v1', '-m', 'v1');
    write({ 'a.txt': 'newer' });
    second = await publish(work, bare, 'second');
    server = await GitServer.start({ root: world.path('git') });
    source = makeSource();
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    expect(world.openHandles).to.equal(0);
    await world[Symbol.asyncDispose]();
  });

  function write(files: Readonly<Record<string, string>>, dir = work): void {
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      fs.writeFileSync(path.join(dir, name), text);
    }
  }
  const open = (fragment = '', attrs: Readonly<Record<string, string>> = {}, from = source): OpenSource =>
    from.open({ scheme: 'git', name: `http://${server.host}/r.git${fragment}`, attrs, platform });
  const keyOf = async (fragment = '', attrs: Readonly<Record<string, string>> = {}): Promise<string> =>
    (await open(fragment, attrs).cacheKey(0, world.context('one'), never)).key;
  async function treeOf(
    fragment = '',
    attrs: Readonly<Record<string, string>> = {},
    from = source,
    session = 'one',
  ): Promise<string> {
    const opened = open(fragment, attrs, from);
    await opened.cacheKey(0, world.context(session), never);
    return world.dirOf(await opened.fetch(world.context(session), never));
  }
  const read = (dir: string, name: string): string => fs.readFileSync(path.join(dir, name), 'utf8');
  const rejection = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('checks the default branch out', async () => {
    expect(await keyOf()).to.equal(second);
    const dir = await treeOf();
    expect(namesIn(dir)).to.deep.equal([
      'a.txt',
      'link',
      'outside',
      'sub/',
      'sub/b.txt',
      'sub/deep/',
      'sub/deep/c',
    ]);
    expect(read(dir, 'a.txt')).to.equal('newer');
    expect(fs.statSync(path.join(dir, 'a.txt')).mode & 0o777).to.equal(0o755);
    expect(fs.statSync(path.join(dir, 'sub/b.txt')).mode & 0o777).to.equal(0o644);
    const shown = `http://${server.host}/r.git`;
    expect([...(await world.records())].sort()).to.deep.equal([
      `regular mutable shared git repo for ${shown}`,
      `source.git.checkout git snapshot for ${shown}#main`,
    ]);
  });

  it('brings tags, branches and commits, and one commit once', async () => {
    const branch = await treeOf('#main');
    expect(read(await treeOf('#v1'), 'a.txt')).to.equal('one');
    const fetched = fetches();
    expect(await keyOf('#v1')).to.equal(first);
    expect(await treeOf(`#${first}`)).to.equal(await treeOf('#light'));
    expect(await treeOf(`#${second}`)).to.equal(branch);
    expect(fetches()).to.equal(fetched);
  });

  it('asks nobody what a commit stands for, and for a ref once a build', async () => {
    await keyOf(`#${first}`);
    expect(server.requests).to.deep.equal([]);
    await keyOf('#main');
    const asked = server.requests.length;
    await keyOf('#main', { 'git.keepgitdir': 'true' });
    expect(server.requests.length).to.equal(asked);
    await open('#main').cacheKey(0, world.context('two'), never);
    expect(server.requests.length).to.be.greaterThan(asked);
  });

  it('fetches no history, not even for a commit in the middle', async () => {
    await git(bare, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
    write({ 'a.txt': 'third' });
    await publish(work, bare, 'third');
    await treeOf(`#${second}`);
    const repo = await sharedRepo();
    expect(await git(repo, 'rev-list', '--count', second)).to.equal('1');
  });

  it('brings all history where a server hands out only what has a name', async () => {
    write({ 'a.txt': 'third' });
    await publish(work, bare, 'third');
    expect(read(await treeOf(`#${second}`), 'a.txt')).to.equal('newer');
    const error = await rejection(treeOf(`#${'0'.repeat(40)}`));
    expect(error).to.include({ code: 'git.no-commit', grpcCode: 'NotFound' });
  });

  const fetches = (): number => ran.filter((args) => args.includes(' fetch ')).length;

  async function sharedRepo(): Promise<string> {
    const init = ran.find((args) => args.includes('init --bare'))!;
    return /--git-dir (\S+)/.exec(init)![1]!;
  }

  it('takes a folder of a commit, and follows links inside it only', async () => {
    expect(namesIn(await treeOf('#main:sub'))).to.deep.equal(['b.txt', 'deep/', 'deep/c']);
    expect(namesIn(await treeOf('#main:link/deep'))).to.deep.equal(['c']);
    expect(await rejection(treeOf('#main:nope'))).to.include({ code: 'git.subdir' });
    fs.writeFileSync(world.path('mine'), 'keep');
    expect(await rejection(treeOf('#main:outside'))).to.include({ code: 'git.subdir' });
    expect(await rejection(treeOf('#main:../../..'))).to.equal(undefined);
    expect(fs.readFileSync(world.path('mine'), 'utf8')).to.equal('keep');
  });

  it('keeps a git directory that shows one commit and the remote without credentials', async () => {
    const remote = `http://me:pw@${server.host}/r.git`;
    const dir = await treeOf('#main', { 'git.keepgitdir': 'true', 'git.fullurl': remote });
    expect(read(dir, '.git/HEAD').trim()).to.equal(second);
    expect(await git(dir, 'remote', 'get-url', 'origin')).to.equal(`http://xxxxx:xxxxx@${server.host}/r.git`);
    expect(await git(dir, 'rev-list', '--count', 'HEAD')).to.equal('1');
    expect(await git(dir, 'status', '--porcelain')).to.equal('');
    expect(fs.existsSync(path.join(dir, '.git/FETCH_HEAD'))).to.equal(false);
    const tag = await treeOf('#v1', { 'git.keepgitdir': 'true' });
    expect(await git(tag, 'cat-file', '-t', 'v1')).to.equal('tag');
    const hash = await treeOf(`#${first}`, { 'git.keepgitdir': 'true' });
    expect(read(hash, '.git/HEAD').trim()).to.equal(first);
    expect(world.progress.lines.join('\n')).to.not.contain('me:pw');
  });

  it('brings submodules, unless it is told not to, and nothing of them into other commits', async () => {
    const [inner, innerBare] = [world.path('inner'), world.path('git/inner.git')];
    await newRepository(inner, innerBare);
    write({ 'i.txt': 'inner' }, inner);
    await publish(inner, innerBare, 'inner');
    await git(work, 'checkout', '--quiet', '-b', 'with');
    await git(work, 'submodule', '--quiet', 'add', innerBare, 'mod');
    await git(work, 'config', '-f', '.gitmodules', 'submodule.mod.url', '../inner.git');
    await publish(work, bare, 'with');
    expect(namesIn(await treeOf('#with:mod'))).to.deep.equal(['i.txt']);
    expect(namesIn(await treeOf('#with')))
      .to.include('mod/i.txt')
      .and.not.include('mod/.git');
    expect(namesIn(await treeOf('#main'))).to.not.include('mod/');
    const skipped = await treeOf('#with', { 'git.skipsubmodules': 'true' });
    expect(namesIn(skipped)).to.include('mod/').and.not.include('mod/i.txt');
    const kept = await treeOf('#with', { 'git.keepgitdir': 'true' });
    expect(await git(path.join(kept, 'mod'), 'status', '--porcelain')).to.equal('');
  });

  it('takes no folder of this machine for a submodule', async () => {
    const secret = world.path('secret');
    await newRepository(secret, world.path('secret.git'));
    write({ key: 'secret' }, secret);
    await publish(secret, world.path('secret.git'), 'secret');
    await git(work, 'submodule', '--quiet', 'add', world.path('secret.git'), 'mod');
    await publish(work, bare, 'evil');
    const error = await rejection(treeOf('#main'));
    expect(error).to.have.property('message').that.includes("transport 'file' not allowed");
    expect([...(await world.records())].filter((line) => line.includes('snapshot'))).to.deep.equal([]);
  });

  it('sends a token to who asks for it', async () => {
    await server[Symbol.asyncDispose]();
    const authorization = `basic ${Buffer.from('x-access-token:tok').toString('base64')}`;
    server = await GitServer.start({ root: world.path('git'), authorization });
    const attrs = { 'git.authtokensecret': 'GIT_AUTH_TOKEN' };
    const denied = await rejection(treeOf('#main', attrs));
    expect(denied).to.include({ code: 'git.failed', grpcCode: 'PermissionDenied' });
    const allowed = makeSource(secretSession('one', { GIT_AUTH_TOKEN: 'tok' }));
    expect(read(await treeOf('#main', attrs, allowed), 'a.txt')).to.equal('newer');
    const [repo] = ran.filter((args) => args.includes('init --bare')).map((args) => args.split(' ')[1]!);
    expect(read(repo!, 'config')).to.not.contain('extraheader');
    expect(ran.join('\n')).to.not.contain('basic');
  });

  it('verifies what a checksum says', async () => {
    expect(await keyOf('#v1', { 'git.checksum': first.slice(0, 8) })).to.equal(first);
    const error = await rejection(keyOf('#main', { 'git.checksum': first }));
    expect(error).to.include({ code: 'git.checksum-mismatch' });
  });

  it('keeps to the commit that it promised, when the branch moves in between', async () => {
    const opened = open('#main');
    expect((await opened.cacheKey(0, world.context('one'), never)).key).to.equal(second);
    write({ 'a.txt': 'third' });
    await publish(work, bare, 'third');
    const dir = await world.dirOf(await opened.fetch(world.context('one'), never));
    expect(read(dir, 'a.txt')).to.equal('newer');
  });

  it('follows a branch that was rewritten, a moved tag, and a branch that became a folder', async () => {
    await treeOf('#main');
    await treeOf('#v1');
    await git(work, 'checkout', '--quiet', '--orphan', 'fresh');
    write({ 'a.txt': 'rewritten' });
    await publish(work, bare, 'rewritten');
    await git(bare, 'symbolic-ref', 'HEAD', 'refs/heads/fresh');
    await git(work, 'branch', '-D', 'main');
    await publish(work, bare, 'without main');
    await git(work, 'branch', 'main/next');
    await git(work, 'tag', '-f', '-a', 'v1', '-m', 'moved');
    const rewritten = await git(work, 'rev-parse', 'main/next');
    await publish(work, bare, 'more');
    source = makeSource();
    expect(read(await treeOf('#v1'), 'a.txt')).to.equal('rewritten');
    expect(read(await treeOf('#main/next'), 'a.txt')).to.equal('rewritten');
    expect(await keyOf('#main/next')).to.equal(rewritten);
  });

  it('fetches once for builds at the same time', async () => {
    const trees = await Promise.all(
      ['one', 'two', 'one', 'two'].map((id) => treeOf('#main', {}, source, id)),
    );
    expect(new Set(trees).size).to.equal(1);
    expect(ran.filter((args) => args.includes('fetch --depth=1'))).to.have.length(1);
  });

  it('leaves nothing behind when a build is cancelled, and is ready for the next one', async () => {
    const opened = open('#main');
    await opened.cacheKey(0, world.context('one'), never);
    const abort = new AbortController();
    server.gate = async () => abort.abort(new Error('enough'));
    expect(await rejection(opened.fetch(world.context('one'), abort.signal))).to.include({
      code: 'canceled',
    });
    expect([...(await world.records())].filter((line) => line.includes('snapshot'))).to.deep.equal([]);
    server.gate = async () => {};
    expect(read(await treeOf('#main'), 'a.txt')).to.equal('newer');
  });

  it('starts the shared repository over when a crash left it unusable', async () => {
    await treeOf('#main');
    const repo = await sharedRepo();
    fs.mkdirSync(path.join(repo, 'refs/tags'), { recursive: true });
    fs.writeFileSync(path.join(repo, 'index.lock'), '');
    fs.writeFileSync(path.join(repo, 'refs/tags/light.lock'), '');
    expect(read(await treeOf('#light'), 'a.txt')).to.equal('one');
  });

  it('tells what a ref stands for, with the objects when they are asked for', async () => {
    const request = { scheme: 'git', name: `http://${server.host}/r.git#v1`, attrs: {}, platform };
    const tag = await git(work, 'rev-parse', 'v1');
    const plain = await source.resolve(request, world.resolveContext(), never);
    expect(plain).to.deep.equal({
      identifier: `git://http://${server.host}/r.git#v1`,
      git: { ref: 'refs/tags/v1', checksum: tag, commitChecksum: first },
    });
    const kept = { ...request, attrs: { 'git.keepgitdir': 'true' } };
    expect((await source.resolve(kept, world.resolveContext(), never)).git?.commitChecksum).to.equal(
      undefined,
    );
    const full = await source.resolve(request, world.resolveContext({ returnObjects: true }), never);
    expect(Buffer.from(full.git!.tagObject!).toString()).to.include(`object ${first}\ntype commit\ntag v1\n`);
    expect(Buffer.from(full.git!.commitObject!).toString()).to.match(/^tree [0-9a-f]{40}\nauthor a </);
    const branch = { ...request, name: `http://${server.host}/r.git#main` };
    const commit = await source.resolve(branch, world.resolveContext({ returnObjects: true }), never);
    expect(commit.git).to.include({ ref: 'refs/heads/main', checksum: second, commitChecksum: undefined });
    expect(commit.git).to.not.have.property('tagObject');
  });

  it('reads repositories whose hashes are sha256', async () => {
    const wide = world.path('wide');
    await git(world.dir, 'init', '--quiet', '--object-format=sha256', wide);
    await git(world.dir, 'init', '--quiet', '--bare', '--object-format=sha256', world.path('git/wide.git'));
    write({ 'w.txt': 'wide' }, wide);
    const commit = await publish(wide, world.path('git/wide.git'), 'wide');
    expect(commit).to.have.length(64);
    for (const keep of ['true', 'false']) {
      const attributes = { 'git.keepgitdir': keep, 'git.fullurl': `http://${server.host}/wide.git` };
      expect(read(await treeOf('#main', attributes), 'w.txt')).to.equal('wide');
    }
  });
});
