/** Bringing a lazy layer's blob into the content store, and reading it wherever it is. */
import type { ByteRange, ContentProvider, ContentStore, Descriptor } from '../contracts/content.js';
import { BuildError, isCanceled } from '../contracts/errors.js';
import type { Progress } from '../contracts/progress.js';
import type { Digest } from '../util/digest.js';
import { noProvider } from './errors.js';
import type { Entry } from './record.js';

/** Downloads the layer unless it is here. Providers are tried newest first; the next continues where one failed. */
export async function downloadLayer(
  entry: Entry,
  content: ContentStore,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { descriptor, diffId } = entry.record.source!;
  if (await content.info(descriptor.digest)) return;
  const providers = [...entry.providers].reverse();
  let failure: unknown = noProvider(descriptor);
  for (const provider of providers) {
    try {
      await receive(descriptor, diffId, provider, content, progress, signal);
      return;
    } catch (error) {
      if (isCanceled(error) || signal.aborted) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Wrong bytes are not kept. Those of an earlier attempt may be what is wrong: then once more from the start. */
async function receive(
  descriptor: Descriptor,
  diffId: Digest,
  provider: ContentProvider,
  content: ContentStore,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { digest, size } = descriptor;
  const labels = { 'containerd.io/uncompressed': diffId };
  await using ingest = await content.ingest({ key: digest, ...(size > 0 ? { size } : {}), labels }, signal);
  if (ingest.done) return;
  let current = ingest.offset;
  progress.status(digest, { current, total: size });
  try {
    if (size === 0 || current < size) {
      for await (const chunk of provider.read(descriptor, { offset: ingest.offset }, signal)) {
        await ingest.write(chunk);
        current += chunk.byteLength;
        progress.status(digest, { current, total: size });
      }
    }
    await ingest.commit(digest);
  } catch (error) {
    if (BuildError.from(error).grpcCode !== 'DataLoss') throw error;
    await ingest.abort();
    if (ingest.offset === 0) throw error;
    await receive(descriptor, diffId, provider, content, progress, signal);
  } finally {
    progress.status(digest, { completed: true });
  }
}

/** Reads the layers of a chain: from the content store what is there, the rest from where it comes. */
export class ChainProvider implements ContentProvider {
  readonly #content: ContentStore;
  readonly #providers: ReadonlyMap<Digest, readonly ContentProvider[]>;

  constructor(content: ContentStore, chain: readonly Entry[]) {
    this.#content = content;
    this.#providers = new Map(
      chain.flatMap(({ record, providers }) =>
        record.source && providers.length > 0 ? [[record.source.descriptor.digest, providers]] : [],
      ),
    );
  }

  async *read(descriptor: Descriptor, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> {
    if (await this.#content.info(descriptor.digest)) {
      yield* this.#content.read(descriptor, range, signal);
      return;
    }
    const provider = this.#providers.get(descriptor.digest)?.at(-1);
    if (!provider) throw noProvider(descriptor);
    yield* provider.read(descriptor, range, signal);
  }
}
