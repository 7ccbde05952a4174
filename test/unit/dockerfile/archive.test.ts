import { expect } from 'chai';
import { isArchive } from '../../../plugins/frontends/dockerfile/archive.js';

/** A tar header for an empty file, with the sum that belongs to it. */
function tarHeader(): Buffer {
  const header = Buffer.alloc(1024);
  header.write('file.txt', 0);
  header.write('0000644\0', 100);
  header.write('        ', 148);
  header.write('0', 156);
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

describe('dockerfile: what is an archive', () => {
  for (const [name, hex] of [
    ['gzip', '1f8b0800'],
    ['bzip2', '425a6839'],
    ['xz', 'fd377a585a000004'],
  ] as const) {
    it(`knows ${name} by its first bytes`, () => expect(isArchive(Buffer.from(hex, 'hex'))).to.equal(true));
  }

  it('knows tar by the sum of its header, without a magic number', () => {
    const header = tarHeader();
    expect(isArchive(header)).to.equal(true);
    header[0] = header[0]! + 1;
    expect(isArchive(header)).to.equal(false);
  });

  it('takes neither text nor what is too short', () => {
    expect(isArchive(Buffer.from('FROM scratch\n'.repeat(80)))).to.equal(false);
    expect(isArchive(new Uint8Array())).to.equal(false);
    expect(isArchive(tarHeader().subarray(0, 300))).to.equal(false);
  });
});
