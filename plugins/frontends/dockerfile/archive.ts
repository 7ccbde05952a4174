/** Compressions that a context may come in: bzip2, gzip, xz. */
const magics = [
  [0x42, 0x5a, 0x68],
  [0x1f, 0x8b, 0x08],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
];

const TAR_HEADER = 512;
const CHECKSUM = { at: 148, length: 8 };
const SPACE = 0x20;

/** Whether a file that begins like this is a tar archive, plain or compressed. */
export const isArchive = (head: Uint8Array): boolean =>
  magics.some((magic) => magic.every((byte, at) => head[at] === byte)) || isTar(head);

/** A tar header holds the sum of its own bytes, with spaces in place of the sum; old ones have no magic number. */
function isTar(head: Uint8Array): boolean {
  if (head.length < TAR_HEADER) return false;
  const { at, length } = CHECKSUM;
  const written = Buffer.from(head.subarray(at, at + length)).toString('latin1');
  const [, octal] = /^[\s\0]*([0-7]+)[\s\0]*$/.exec(written) ?? [];
  if (octal === undefined) return false;
  const sum = head
    .subarray(0, TAR_HEADER)
    .reduce((total, byte, index) => total + (index >= at && index < at + length ? SPACE : byte), 0);
  return sum === Number.parseInt(octal, 8);
}
