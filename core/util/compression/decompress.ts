/**
 * Unpacks compressed streams: gzip by Node, zstd by libzstd, bzip2 and xz by the system's programs, which are rare
 * enough in builds that no library is worth its weight.
 */
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { ZstdDecoder } from './libzstd.js';

export type StreamCompression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

const magics: readonly (readonly [StreamCompression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** By the first bytes; six are enough. */
export function detectCompression(head: Uint8Array): StreamCompression {
  const found = magics.find(([, magic]) => magic.every((byte, index) => head[index] === byte));
  return found ? found[0] : 'none';
}

/** A chunk is valid until the next one is asked for. Leaving the loop early stops what runs. */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: StreamCompression,
): AsyncIterable<Uint8Array> {
  switch (compression) {
    case 'none':
      return source;
    case 'gzip':
      return gunzip(source);
    case 'zstd':
      return unzstd(source);
    case 'bzip2':
      return throughProgram(source, 'bzip2', 'bzip2');
    case 'xz':
      return throughProgram(source, 'xz', 'xz-utils');
    default:
      return compression satisfies never;
  }
}

async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const inflate = zlib.createGunzip({ chunkSize: 256 * 1024 });
  // An error of the source destroys the inflater with it, so the loop below throws it.
  pipeline(Readable.from(source), inflate).catch(() => {});
  yield* inflate as AsyncIterable<Buffer>;
}

async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const decoder = new ZstdDecoder();
  try {
    for await (const chunk of source) yield* decoder.push(chunk);
    decoder.end();
  } finally {
    decoder[Symbol.dispose]();
  }
}

async function* throughProgram(
  source: AsyncIterable<Uint8Array>,
  program: string,
  debianPackage: string,
): AsyncIterable<Uint8Array> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const exit = new Promise<number>((resolve, reject) => {
    child.on('error', (cause) =>
      reject(
        new Error(`unpacking needs the program ${program} (Debian: apt install ${debianPackage})`, { cause }),
      ),
    );
    child.on('close', (code) => resolve(code ?? -1));
  });
  exit.catch(() => {});
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => {
    complaint = (complaint + data.toString()).slice(-1000);
  });
  // The program may stop reading early (garbage behind the data); its exit code is what counts.
  const feeding = pipeline(Readable.from(source), child.stdin).catch(() => {});
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const code = await exit;
    if (code !== 0) throw new Error(`${program}: ${complaint.trim() || `exit code ${code}`}`);
    await feeding;
  } finally {
    child.kill('SIGKILL');
  }
}
