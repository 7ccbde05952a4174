import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { expect } from 'chai';
import { changesBetween } from '../../../../../core/content/layer/changes.js';
import { writeEstargz } from '../../../../../core/content/layer/estargz.js';
import type { TocEntry } from '../../../../../core/content/layer/estargz-toc.js';
import { planLayer } from '../../../../../core/content/layer/layer-plan.js';
import type { WrittenLayer } from '../../../../../core/content/layer/write-layer.js';
import { TarReader } from '../../../../../core/util/tar/tar-reader.js';
import { makeTempDir, makeTree, type TreeSpec } from '../../../../support/trees.js';

const MIB = 1 << 20;
const FOOTER = 51;

const sha256 = (data: Uint8Array): string => `sha256:${createHash('sha256').update(data).digest('hex')}`;
const noise = (size: number): string =>
  createHash('shake256', { outputLength: size / 2 })
    .update('noise')
    .digest('hex');

describe('estargz', () => {
  let temp: string;
  beforeEach(() => {
    temp = makeTempDir();
  });
  afterEach(() => fs.rmSync(temp, { recursive: true, force: true }));

  const output = (): string => path.join(temp, 'blob');
  const write = (spec: TreeSpec): WrittenLayer => {
    const items = planLayer(changesBetween([], [makeTree(path.join(temp, 'tree'), spec)]), {
      sourceDateEpoch: 1_600_000_000,
    });
    return writeEstargz(items, 5, output(), {
      throwIfAborted() {},
      report() {},
      ask: () => Promise.reject(new Error('nothing is asked')),
    });
  };
  /** As readers that load parts of a layer do it: the footer, then the table it leads to. */
  const read = (): { readonly blob: Buffer; readonly toc: Buffer; readonly entries: readonly TocEntry[] } => {
    const blob = fs.readFileSync(output());
    const last = blob.subarray(-FOOTER);
    expect(zlib.gunzipSync(last)).to.have.length(0);
    expect(last.subarray(12, 16)).to.deep.equal(Buffer.from('SG\x16\x00'));
    const [, offset] = /^([0-9a-f]{16})STARGZ$/.exec(last.subarray(16, 38).toString())!;
    const contents = filesOf(zlib.gunzipSync(blob.subarray(Number.parseInt(offset!, 16), -FOOTER)));
    const toc = contents.get('stargz.index.json')!;
    return { blob, toc, entries: JSON.parse(toc.toString()).entries };
  };

  it('is gzip of the tar, with a table of contents behind its end', () => {
    const { digest, size, diffId, annotations } = write({
      a: 'a',
      dir: { b: 'b', empty: '', to: { link: '../a' } },
    });
    const { blob, toc } = read();
    const plain = zlib.gunzipSync(blob);
    expect([digest, size]).to.deep.equal([sha256(blob), blob.length]);
    expect(diffId).to.equal(sha256(plain));
    expect([...filesOf(plain).keys()]).to.deep.equal(['a', 'dir/', 'dir/b', 'dir/empty', 'dir/to']);
    expect(annotations).to.deep.equal({
      'containerd.io/snapshot/stargz/toc.digest': sha256(toc),
      'io.containers.estargz.uncompressed-size': String(plain.length),
    });
  });

  it('lets each chunk of each file be read on its own', () => {
    const files = { a: 'text', big: noise(9 * MIB), c: 'c'.repeat(4 * MIB), d: { e: 'e' } };
    write(files);
    const { blob, entries } = read();
    const chunks = entries.filter(({ chunkDigest }) => chunkDigest !== undefined);
    for (const { offset, size = 0, chunkSize, chunkOffset = 0, chunkDigest, name } of chunks) {
      const whole = entries.find((entry) => entry.name === name && entry.type === 'reg')!;
      const length = chunkSize ?? (whole.size ?? size) - chunkOffset;
      const data = zlib.gunzipSync(blob.subarray(offset, -FOOTER)).subarray(0, length);
      expect(sha256(data), `${name} from ${chunkOffset}`).to.equal(chunkDigest);
    }
    expect(chunks.map(({ name, chunkOffset }) => [name, (chunkOffset ?? 0) / MIB])).to.deep.equal([
      ['a', 0],
      ['big', 0],
      ['big', 4],
      ['big', 8],
      ['c', 0],
      ['d/e', 0],
    ]);
    const digests = entries.flatMap(({ name, digest }) => (digest ? [[name, digest]] : []));
    expect(digests).to.deep.equal([
      ['a', sha256(Buffer.from(files.a))],
      ['big', sha256(Buffer.from(files.big))],
      ['c', sha256(Buffer.from(files.c))],
      ['d/e', sha256(Buffer.from(files.d.e))],
    ]);
  });

  it('says of entries what their headers say', () => {
    write({ dir: { to: { link: '../a' } }, empty: '' });
    const root = path.join(temp, 'tree');
    const { uid, gid } = fs.statSync(root);
    const { entries } = read();
    const common = { modtime: '2020-09-13T12:26:40Z', uid, gid };
    expect(entries.map(({ name, type, linkName }) => [name, type, linkName])).to.deep.equal([
      ['dir/', 'dir', undefined],
      ['dir/to', 'symlink', '../a'],
      ['empty', 'reg', undefined],
    ]);
    expect(entries[2]).to.deep.equal({
      name: 'empty',
      type: 'reg',
      mode: fs.statSync(path.join(root, 'empty')).mode & 0o7777,
      ...common,
      digest: sha256(Buffer.alloc(0)),
    });
  });

  it('refuses the name that the format keeps for itself', () => {
    expect(() => write({ 'stargz.index.json': '{}' })).to.throw(
      'a layer with a file /stargz.index.json cannot be compressed as estargz',
    );
  });
});

/** Names and contents up to the end of the tar. */
function filesOf(tar: Uint8Array): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer[]>();
  let current: Buffer[] = [];
  const reader = new TarReader({
    entry({ name }) {
      current = [];
      files.set(name, current);
    },
    data(chunk) {
      current.push(Buffer.from(chunk));
    },
    entryEnd() {},
  });
  reader.push(Buffer.from(tar));
  reader.end();
  return new Map([...files].map(([name, chunks]) => [name, Buffer.concat(chunks)]));
}
