import fs from 'node:fs';

const CHUNK = 256 * 1024;

/** A file in chunks, read synchronously as they are asked for; `onRead` gets the bytes read so far. */
export async function* readBlob(file: string, onRead?: (bytes: number) => void): AsyncIterable<Uint8Array> {
  const fd = fs.openSync(file, 'r');
  let done = 0;
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(CHUNK);
      const size = fs.readSync(fd, buffer);
      if (size === 0) return;
      done += size;
      onRead?.(done);
      yield buffer.subarray(0, size);
    }
  } finally {
    fs.closeSync(fd);
  }
}
