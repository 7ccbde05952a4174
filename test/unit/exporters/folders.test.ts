import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { BuildResult, Exporter } from '../../../core/contracts/exporter.js';
import type { ResultTree } from '../../../core/contracts/session.js';
import type { Trees } from '../../../core/contracts/trees.js';
import { sha256 } from '../../../core/util/digest.js';
import { LocalExporter } from '../../../plugins/exporters/local/local-exporter.js';
import { TarExporter } from '../../../plugins/exporters/tar/tar-exporter.js';
import { receivingSession } from '../../contract/exporter.js';
import { RecordedProgress } from '../../support/fake-progress.js';
import { InlineThreads } from '../../support/inline-threads.js';
import { fakeRef } from '../../support/recorded-refs.js';
import { resultOf } from './results.js';

const { signal } = new AbortController();
const one = resultOf({ 'linux/amd64': [] });
const two = resultOf({ 'linux/amd64': [], 'linux/arm/v7': [] });

describe('folder exporters', () => {
  let asked: readonly ResultTree[];
  let progress: RecordedProgress;
  const trees: Trees = {
    tar: async function* (list) {
      asked = list;
      yield Buffer.from('a tar');
    },
    hashing: (data) => ({ data, digest: () => sha256('') }),
  };
  const run = async (exporter: Exporter, attrs: Record<string, string>, result = one): Promise<string[]> => {
    const { session, received } = receivingSession();
    progress = new RecordedProgress();
    const context = { session: async () => session, index: 0, steps: progress };
    await exporter.open(attrs).run(result, context, signal);
    return received.map(({ metadata, data }) => `${metadata.mode ?? 'file'} ${data}`);
  };
  const local = (attrs = {}, result = one): Promise<string[]> =>
    run(new LocalExporter(new InlineThreads()), attrs, result);
  const tar = async (attrs = {}, result = one): Promise<string[]> => {
    await run(new TarExporter(trees, new InlineThreads()), attrs, result);
    return asked.map(({ prefix, sourceDateEpoch }) => `${prefix} ${sourceDateEpoch}`);
  };

  /** A layer with one file. */
  const folder = async (file: string): Promise<string> => {
    const dir = await mkdtemp(join(tmpdir(), 'images-test-'));
    folders.push(dir);
    await mkdir(join(dir, dirname(file)), { recursive: true });
    await writeFile(join(dir, file), '');
    return dir;
  };
  const folders: string[] = [];
  afterEach(() => Promise.all(folders.splice(0).map((dir) => rm(dir, { recursive: true }))));
  const inFolders = (result: BuildResult, dirs: Record<string, string>): BuildResult => ({
    ...result,
    platforms: result.platforms.map((part) => ({ ...part, ref: fakeRef({ layers: [dirs[part.id]!] }) })),
  });

  it('write one platform to the top', async () => {
    expect(await local()).to.deep.equal(['copy [{"prefix":"","layers":["/linux/amd64"]}]']);
    expect(progress.lines.slice(1)).to.deep.equal(['copying files', 'copying files done']);
  });

  it('give each of several platforms its folder and its bar', async () => {
    expect((await local({}, two)).sort()).to.deep.equal([
      'copy [{"prefix":"linux_amd64","layers":["/linux/amd64"]}]',
      'copy [{"prefix":"linux_arm_v7","layers":["/linux/arm/v7"]}]',
    ]);
    expect(progress.lines).to.include('copying files linux/arm/v7 done');
  });

  it('split or not as they are told', async () => {
    expect(await local({ 'platform-split': 'true' })).to.deep.equal([
      'copy [{"prefix":"linux_amd64","layers":["/linux/amd64"]}]',
    ]);
    const dirs = { 'linux/amd64': await folder('d/a'), 'linux/arm/v7': await folder('d/b') };
    expect((await local({ 'platform-split': 'false' }, inFolders(two, dirs))).sort()).to.deep.equal(
      Object.values(dirs)
        .map((dir) => `copy [{"prefix":"","layers":["${dir}"]}]`)
        .sort(),
    );
  });

  it('never let platforms overwrite each other', async () => {
    const dirs = { 'linux/amd64': await folder('d/a'), 'linux/arm/v7': await folder('d/a') };
    const error = await local({ 'platform-split': 'false' }, inFolders(two, dirs)).catch((reason) => reason);
    expect(error.message).to.equal(
      'cannot overwrite d/a from linux/amd64 with linux/arm/v7 when split option is disabled',
    );
    const mirrored = await local({ 'platform-split': 'false', mode: 'delete' }, two).catch(
      (reason) => reason,
    );
    expect(mirrored.message).to.contain('cannot be combined with platform-split=false');
  });

  it('mirror all platforms in one go', async () => {
    expect(await local({ mode: 'delete' }, two)).to.have.length(1);
  });

  it('archive with the folders of the platforms', async () => {
    expect(await tar()).to.deep.equal([' undefined']);
    expect(await tar({}, two)).to.deep.equal(['linux_amd64 undefined', 'linux_arm_v7 undefined']);
    expect(progress.lines.slice(1)).to.deep.equal(['sending tarball', 'sending tarball done']);
  });

  it("take the epoch from the attribute before the frontend's", async () => {
    const withEpoch = resultOf({ 'linux/amd64': [] }, { 'source.date.epoch': '7' });
    expect(await tar({}, withEpoch)).to.deep.equal([' 7']);
    expect(await tar({ 'source-date-epoch': '5' }, withEpoch)).to.deep.equal([' 5']);
  });

  it('refuse values they do not understand', () => {
    const open = (attrs: Record<string, string>) => () => new LocalExporter(new InlineThreads()).open(attrs);
    expect(open({ mode: 'delet' })).to.throw(
      'invalid value "delet" for mode: expected copy, delete (did you mean "delete"?)',
    );
    expect(open({ 'platform-split': 'maybe' })).to.throw('for platform-split: expected true or false');
    expect(open({ 'source-date-epoch': 'now' })).to.throw('for source-date-epoch: expected a whole number');
    expect(open({ 'platform-spilt': '1' })).to.throw('(did you mean "platform-split"?)');
  });
});
