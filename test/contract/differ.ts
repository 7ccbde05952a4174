import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { ContentStore } from '../../core/contracts/content.js';
import type { CompareOptions, Compression, Differ, LayerBlob } from '../../core/contracts/differ.js';
import type { Mount } from '../../core/contracts/mount.js';
import { sha256 } from '../../core/util/digest.js';

const signal = new AbortController().signal;

export interface DifferFixture extends AsyncDisposable {
  readonly differ: Differ;
  /** Where the differ keeps its blobs. */
  readonly content: ContentStore;
  /** Compressions it writes and reads. */
  readonly compressions: readonly Compression[];
}

/** What every {@link Differ} of directories on this machine promises. `make` answers one with an empty store. */
export function differContract(name: string, make: () => Promise<DifferFixture>): void {
  describe(`${name} keeps the Differ contract`, () => {
    let fixture: DifferFixture;
    let temp: string;
    let dirs = 0;
    beforeEach(async () => {
      fixture = await make();
      temp = fs.mkdtempSync(path.join(os.tmpdir(), 'differ-contract-'));
    });
    afterEach(async () => {
      await fixture[Symbol.asyncDispose]();
      fs.rmSync(temp, { recursive: true, force: true });
    });

    const tree = (files: Readonly<Record<string, string>>): string => {
      const dir = path.join(temp, `tree${dirs++}`);
      fs.mkdirSync(dir);
      for (const [at, content] of Object.entries(files)) {
        fs.mkdirSync(path.dirname(path.join(dir, at)), { recursive: true });
        fs.writeFileSync(path.join(dir, at), content);
      }
      return dir;
    };
    const bind = (dir: string): readonly Mount[] => [{ type: 'bind', source: dir, options: ['rbind'] }];
    const files = (dir: string): Readonly<Record<string, string>> =>
      Object.fromEntries(
        fs
          .readdirSync(dir, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.join(entry.parentPath, entry.name))
          .sort()
          .map((at) => [path.relative(dir, at), fs.readFileSync(at, 'utf8')]),
      );
    const compare = (
      lower: string | undefined,
      upper: string,
      type: Compression = 'uncompressed',
      more: Partial<CompareOptions> = {},
    ): Promise<LayerBlob> => {
      const options: CompareOptions = { compression: { type }, mediaTypes: 'oci', signal, ...more };
      return fixture.differ.compare(lower === undefined ? [] : bind(lower), bind(upper), options);
    };
    const content = { 'a.txt': 'a', 'dir/b.txt': 'b'.repeat(100_000), 'dir/deep/c': '' };

    it('brings back with apply what compare took, in each compression, with one diffId', async () => {
      const upper = tree(content);
      const diffIds = new Set<string>();
      for (const type of fixture.compressions) {
        const blob = await compare(undefined, upper, type);
        const target = tree({});
        const { diffId } = await fixture.differ.apply(blob.descriptor, bind(target), { signal });
        expect([type, diffId, files(target)]).to.deep.equal([type, blob.diffId, content]);
        diffIds.add(diffId);
      }
      expect(diffIds.size).to.equal(1);
    });

    it('brings back the same while the blob arrives, small or large, and fails when its sender gives up', async () => {
      const { follow } = fixture.differ;
      if (!follow) return;
      const large = { large: randomBytes(3 << 20).toString('hex') };
      for (const [upper, outcome] of [
        [tree(content), 'whole'],
        [tree(large), 'whole'],
        [tree(large), 'cut'],
      ] as const) {
        const blob = await compare(undefined, upper);
        const data = await fixture.content.readBlob(blob.descriptor.digest);
        await fixture.content.remove(blob.descriptor.digest);
        const ingest = await fixture.content.ingest({ key: blob.descriptor.digest }, signal);
        await using arriving = await ingest.follow();
        const target = tree({});
        const following = follow.call(fixture.differ, blob.descriptor, arriving, bind(target), { signal });
        following.catch(() => {});
        const end = outcome === 'cut' ? data.length / 2 : data.length;
        for (let at = 0; at < end; at += 100_000) await ingest.write(data.subarray(at, at + 100_000));
        await (outcome === 'cut' ? ingest[Symbol.asyncDispose]() : ingest.commit(blob.descriptor.digest));
        const diffId = await following.then(
          (applied) => applied.diffId,
          () => 'failed',
        );
        expect(diffId).to.equal(outcome === 'cut' ? 'failed' : blob.diffId);
        if (outcome === 'whole') expect(files(target)).to.deep.equal(files(upper));
      }
    });

    it('keeps the blob it describes in the content store', async () => {
      for (const type of fixture.compressions) {
        const { descriptor } = await compare(undefined, tree(content), type);
        const data = await fixture.content.readBlob(descriptor.digest);
        expect([sha256(data), data.byteLength]).to.deep.equal([descriptor.digest, descriptor.size]);
      }
    });

    it('turns one tree into the other', async () => {
      const before = tree({ 'gone/x': 'x', kept: 'k', changed: '1' });
      const after = tree({ kept: 'k', changed: 'two', 'new/y': 'y' });
      const blob = await compare(before, after);
      await fixture.differ.apply(blob.descriptor, bind(before), { signal });
      expect(files(before)).to.deep.equal(files(after));
    });

    it('makes equal layers of equal trees', async () => {
      const [one, two] = [tree(content), tree(content)];
      const epoch = { sourceDateEpoch: 0 };
      for (const type of fixture.compressions) {
        const first = await compare(undefined, one, type, epoch);
        expect(await compare(undefined, two, type, epoch)).to.deep.equal(first);
      }
    });

    it('repacks a layer without changing its diffId', async () => {
      const { differ, compressions } = fixture;
      if (!differ.recompress) return;
      let blob = await compare(undefined, tree(content));
      const { diffId } = blob;
      for (const type of compressions) {
        blob = await differ.recompress(blob.descriptor, { compression: { type }, mediaTypes: 'oci', signal });
        expect(blob.diffId).to.equal(diffId);
      }
    });

    it('stops when nobody wants the answer any more', async () => {
      const options = { compression: { type: 'uncompressed' }, mediaTypes: 'oci' } as const;
      const aborted = fixture.differ.compare([], bind(tree(content)), {
        ...options,
        signal: AbortSignal.abort(),
      });
      const error = await aborted.then(
        () => undefined,
        (thrown) => thrown as Error & { readonly code?: string },
      );
      expect(error?.name === 'AbortError' || error?.code === 'canceled').to.equal(true);
    });
  });
}
