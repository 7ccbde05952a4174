import { expect } from 'chai';
import fc from 'fast-check';
import tarStream from 'tar-stream';
import { encodeHeader, headerSize } from '../../../../../core/util/tar/encode.js';
import { padded, type TarHeader } from '../../../../../core/util/tar/header.js';
import { TarReader } from '../../../../../core/util/tar/tar-reader.js';

interface Read {
  readonly header: TarHeader;
  readonly content: string;
}

/** Reads a tar pushed in pieces of `step` bytes. */
function read(archive: Uint8Array, step = archive.length): readonly Read[] {
  const found: Read[] = [];
  let open: { header: TarHeader; chunks: Buffer[] } | undefined;
  const reader = new TarReader({
    entry: (header) => {
      open = { header, chunks: [] };
    },
    data: (chunk) => void open!.chunks.push(Buffer.from(chunk)),
    entryEnd: () => found.push({ header: open!.header, content: Buffer.concat(open!.chunks).toString() }),
  });
  for (let at = 0; at < archive.length; at += step) reader.push(archive.subarray(at, at + step));
  reader.end();
  return found;
}

const headerOf = (more: Partial<TarHeader>): TarHeader => ({
  name: 'file',
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0n,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: {},
  ...more,
});

function write(entries: readonly { readonly header: TarHeader; readonly content: string }[]): Buffer {
  const parts = entries.flatMap(({ header, content }) => [
    encodeHeader(header),
    Buffer.from(content),
    Buffer.alloc(padded(header.size) - header.size),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

async function readWithTarStream(archive: Buffer): Promise<readonly Record<string, unknown>[]> {
  const extract = tarStream.extract();
  extract.end(archive);
  const found: Record<string, unknown>[] = [];
  for await (const entry of extract) {
    const { name, mode, size, type, linkname } = entry.header;
    const pax = entry.header.pax as Record<string, string> | null;
    // It leaves owners of PAX headers to its users.
    const [uid, gid] = [Number(pax?.uid ?? entry.header.uid), Number(pax?.gid ?? entry.header.gid)];
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    found.push({ name, mode, uid, gid, size, type, linkname, content: Buffer.concat(chunks).toString() });
  }
  return found;
}

const component = fc
  .array(fc.constantFrom('a', 'b', 'é', '長', ' ', '.', 'x'.repeat(60)), { minLength: 1, maxLength: 3 })
  .map((parts) => `n${parts.join('')}`);
const path = fc.array(component, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
const file = fc.record({
  name: path,
  content: fc.string({ maxLength: 700 }),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 2 ** 31 }),
  gid: fc.integer({ min: 0, max: 2 ** 31 }),
  mtime: fc.integer({ min: 0, max: 2 ** 35 }).map(BigInt),
  capability: fc.option(fc.uint8Array({ minLength: 1, maxLength: 20 }), { nil: undefined }),
});

describe('tar', () => {
  const entries = fc.array(
    file.map(({ content, capability, ...rest }) => ({
      header: headerOf({
        ...rest,
        size: Buffer.byteLength(content),
        xattrs: capability ? { 'security.capability': Buffer.from(capability) } : {},
      }),
      content,
    })),
    { maxLength: 4 },
  );

  it('reads back what it wrote, in whatever pieces it arrives', () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 2000 }), (given, step) => {
        const expected = given.map(({ header, content }) => ({
          header: { ...header, mtime: header.mtime * 1_000_000_000n },
          content,
        }));
        expect(read(write(given), step)).to.deep.equal(expected);
      }),
    );
  });

  it('writes what tar-stream reads', async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (given) => {
        const expected = given.map(({ header: { name, mode, uid, gid, size }, content }) => {
          return { name, mode, uid, gid, size, type: 'file', linkname: null, content };
        });
        expect(await readWithTarStream(write(given))).to.deep.equal(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('knows the size of a header without making it', () => {
    fc.assert(
      fc.property(entries, (given) => {
        for (const { header } of given) expect(headerSize(header)).to.equal(encodeHeader(header).length);
      }),
    );
  });

  it('splits a long name over two fields instead of a PAX header', () => {
    const name = `${'d'.repeat(90)}/${'f'.repeat(90)}`;
    expect(headerSize(headerOf({ name }))).to.equal(512);
    expect(read(write([{ header: headerOf({ name }), content: '' }]))[0]!.header.name).to.equal(name);
  });

  it('writes the fields in the places and forms of ustar', () => {
    const block = encodeHeader(
      headerOf({ name: 'dir/', type: 'dir', mode: 0o755, uid: 1, gid: 2, mtime: 3n }),
    );
    const text = (from: number, to: number): string => block.toString('latin1', from, to);
    expect({
      name: text(0, 5),
      numbers: text(100, 148),
      type: text(156, 157),
      magic: text(257, 265),
      devices: text(329, 345),
    }).to.deep.equal({
      name: 'dir/\0',
      numbers: '0000755\x000000001\x000000002\x0000000000000\x0000000000003\0',
      type: '5',
      magic: 'ustar\x0000',
      devices: '0000000\x000000000\0',
    });
  });

  it('reads GNU long names and base-256 numbers', () => {
    const long = 'l'.repeat(150);
    const longName = encodeHeader(headerOf({ name: '././@LongLink', size: long.length + 1 }));
    longName.write('L', 156);
    const entry = encodeHeader(headerOf({ name: 'cut' }));
    entry.set([0x80, 0, 0, 0, 0x80, 0, 0, 1], 108);
    const archive = Buffer.concat([
      sign(longName),
      Buffer.concat([Buffer.from(`${long}\0`), Buffer.alloc(512)], 512),
      sign(entry),
      Buffer.alloc(1024),
    ]);
    const { name, uid } = read(archive)[0]!.header;
    expect([name, uid]).to.deep.equal([long, 0x80000001]);
  });

  it('refuses sparse files, wrong checksums and archives that end early', () => {
    const sparse = encodeHeader(headerOf({ name: 'holes' }));
    sparse.write('S', 156);
    expect(() => read(sign(sparse))).to.throw('holes is a sparse file');
    const broken = encodeHeader(headerOf({}));
    broken[0] = 0x7a;
    expect(() => read(broken)).to.throw('checksum');
    expect(() => read(encodeHeader(headerOf({ size: 10 })))).to.throw('unexpected end');
  });
});

function sign(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
