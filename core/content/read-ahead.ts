import type { FileHandle } from 'node:fs/promises';
import { canceled } from '../contracts/errors.js';

/** Bytes of one read. Two of them are in memory: one that is dealt with, and the next one on its way. */
const CHUNK = 1 << 20;

/** A part of a file, or what there is of it; the next piece is read while one is dealt with. Closes the file. */
export async function* readAhead(
  file: FileHandle,
  start: number,
  end: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const read = async (at: number): Promise<Uint8Array> => {
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, end - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    return buffer.subarray(0, bytesRead);
  };
  let ahead: Promise<Uint8Array> | undefined;
  try {
    ahead = start < end ? read(start) : undefined;
    for (let at = start; ahead; ) {
      if (signal.aborted) throw canceled(signal.reason);
      const chunk: Uint8Array = await ahead;
      at += chunk.length;
      ahead = chunk.length > 0 && at < end ? read(at) : undefined;
      // Its failure is told in its turn, also if nobody gets that far.
      void ahead?.catch(() => {});
      if (chunk.length > 0) yield chunk;
    }
  } finally {
    // Nobody wants it any more, but it uses the file until then.
    await ahead?.catch(() => {});
    await file.close();
  }
}
