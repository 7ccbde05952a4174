/** Reads a small input whole, such as a definition on standard input. */
import type { Readable } from 'node:stream';
import { invalid } from '../../core/contracts/index.js';

const LIMIT = 256 << 20;

export async function readAll(input: Readable, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMIT) throw invalid('buildctl.input', `${what} of more than ${LIMIT >> 20} MiB is refused`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
