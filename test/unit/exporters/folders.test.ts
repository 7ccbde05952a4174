import { expect } from 'chai';
import type { Exporter } from '../../../core/contracts/exporter.js';
import type { ResultTree } from '../../../core/contracts/session.js';
import type { Trees } from '../../../core/contracts/trees.js';
import { sha256 } from '../../../core/util/digest.js';
import { LocalExporter } from '../../../plugins/exporters/local/local-exporter.js';
import { TarExporter } from '../../../plugins/exporters/tar/tar-exporter.js';
import { receivingSession } from '../../contract/exporter.js';
import { RecordedProgress } from '../../support/fake-progress.js';
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
  const local = (attrs = {}, result = one): Promise<string[]> => run(new LocalExporter(), attrs, result);
  const tar = async (attrs = {}, result = one): Promise<string[]> => {
    await run(new TarExporter(trees), attrs, result);
    return asked.map(({ prefix, sourceDateEpoch }) => `${prefix} ${sourceDateEpoch}`);
  };

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
    expect(await local({ 'platform-split': 'false' }, two)).to.deep.equal([
      'copy [{"prefix":"","layers":["/linux/amd64"]},{"prefix":"","layers":["/linux/arm/v7"]}]',
    ]);
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
    const open = (attrs: Record<string, string>) => () => new LocalExporter().open(attrs);
    expect(open({ mode: 'delet' })).to.throw(
      'invalid value "delet" for mode: expected copy, delete (did you mean "delete"?)',
    );
    expect(open({ 'platform-split': 'maybe' })).to.throw('for platform-split: expected true or false');
    expect(open({ 'source-date-epoch': 'now' })).to.throw('for source-date-epoch: expected a whole number');
    expect(open({ 'platform-spilt': '1' })).to.throw('(did you mean "platform-split"?)');
  });
});
