/** Just enough of the ustar format for archives of blobs: short ASCII names, no owners, no times. */

const block = 512;

export function tarHeader(name: string, mode: number, size: number, isFolder: boolean): Uint8Array {
  const header = Buffer.alloc(block);
  header.write(name, 0, 100, 'latin1');
  octal(header, 100, 8, mode);
  octal(header, 108, 8, 0);
  octal(header, 116, 8, 0);
  writeSize(header, size);
  octal(header, 136, 12, 0);
  header.write(isFolder ? '5' : '0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  octal(header, 329, 8, 0);
  octal(header, 337, 8, 0);
  // The checksum is taken with its own field blank.
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** Zeros up to the next block. */
export const padding = (size: number): Uint8Array => new Uint8Array((block - (size % block)) % block);

export const tarTrailer = new Uint8Array(2 * block);

const octal = (header: Buffer, at: number, width: number, value: number): void => {
  header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
};

/** Eleven octal digits end at 8 GiB; beyond, the number stands in binary behind a set first bit. */
function writeSize(header: Buffer, size: number): void {
  if (size < 8 ** 11) {
    octal(header, 124, 12, size);
  } else {
    header.writeUInt8(0x80, 124);
    header.writeBigUInt64BE(BigInt(size), 128);
  }
}
