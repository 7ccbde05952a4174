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

/** The same of a file that is still written; `grown` answers its size when that is more than what it is given. */
export async function* readGrowing(
  fd: number,
  grown: (beyond: number) => Promise<number>,
  onRead: (bytes: number) => void,
): AsyncIterable<Uint8Array> {
  let done = 0;
  for (let end = await grown(done); end > done; end = await grown(done)) {
    while (done < end) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, end - done));
      const size = fs.readSync(fd, buffer, 0, buffer.length, done);
      if (size === 0) throw new Error(`the file ended after ${done} of ${end} bytes`);
      done += size;
      onRead(done);
      yield buffer.subarray(0, size);
    }
  }
}
