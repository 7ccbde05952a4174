/** Byte streams as the chunks that they come in. */

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** All of it in one piece; undefined, with the rest unread, when it has more than `limit` bytes. */
export async function collect(chunks: Chunks): Promise<Buffer>;
export async function collect(chunks: Chunks, limit: number): Promise<Buffer | undefined>;
export async function collect(chunks: Chunks, limit = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
  const taken: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > limit) return undefined;
    taken.push(chunk);
  }
  return Buffer.concat(taken, bytes);
}

/** In pieces of one size, the last one smaller: for whoever pays for each piece, or has to know lengths beforehand. */
export async function* parts(chunks: Chunks, size: number): AsyncGenerator<Uint8Array, void, void> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let rest = chunk;
    while (bytes + rest.length >= size) {
      const taken = rest.subarray(0, size - bytes);
      yield Buffer.concat([...waiting, taken]);
      rest = rest.subarray(taken.length);
      waiting = [];
      bytes = 0;
    }
    if (rest.length === 0) continue;
    waiting.push(rest);
    bytes += rest.length;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}
