/** Bringing a lazy layer's blob into the content store, and reading it wherever it is. */
import type { ByteRange, ContentProvider, ContentStore, Descriptor, Ingest } from '../contracts/content.js';
import { BuildError, isCanceled } from '../contracts/errors.js';
import type { Progress } from '../contracts/progress.js';
import type { Digest } from '../util/digest.js';
import type { Arrival } from './arrival.js';
import { noProvider } from './errors.js';
import type { Entry } from './record.js';

export interface Download {
  readonly content: ContentStore;
  readonly progress: Progress;
  /** Told when the first bytes may come, and when all are here and right. */
  readonly arrival: Arrival;
  readonly signal: AbortSignal;
}

/** A provider may have mirrors, or something in between that is mended by asking again. */
const TRIES = 3;

/**
 * Downloads the layer unless it is here. Wrong bytes are not kept; those of an earlier attempt may be what is wrong, or
 * another provider may have the right ones.
 */
export async function downloadLayer(entry: Entry, download: Download): Promise<void> {
  const { descriptor, diffId } = entry.record.source!;
  const { content, progress, arrival, signal } = download;
  const { digest, size } = descriptor;
  const labels = { 'containerd.io/uncompressed': diffId };
  let providers = [...entry.providers].reverse();
  let spoilt = 0;
  for (;;) {
    if (await content.info(digest)) return;
    if (providers.length === 0) throw noProvider(descriptor);
    await using ingest = await content.ingest({ key: digest, ...(size > 0 ? { size } : {}), labels }, signal);
    if (ingest.done) return;
    arrival.begin(ingest);
    try {
      providers = await receive(descriptor, providers, ingest, progress, signal);
      await ingest.commit(digest, () => arrival.verify());
      return;
    } catch (error) {
      if (BuildError.from(error).grpcCode !== 'DataLoss') throw error;
      await ingest.abort();
      const [provider, ...others] = providers;
      provider?.distrust?.(digest);
      spoilt++;
      if (spoilt % TRIES === 0) providers = others;
      if (providers.length === 0) throw BuildError.from(error).wrap(provider?.place);
    } finally {
      progress.status(digest, { completed: true });
    }
  }
}

/** Fills the ingest from the first provider that can; answers that one and those behind it. The next continues where one failed. */
async function receive(
  descriptor: Descriptor,
  providers: readonly ContentProvider[],
  ingest: Ingest,
  progress: Progress,
  signal: AbortSignal,
): Promise<ContentProvider[]> {
  const { digest, size: total } = descriptor;
  let offset = ingest.offset;
  let failure: unknown;
  progress.status(digest, { current: offset, total });
  for (const [at, provider] of providers.entries()) {
    try {
      if (offset === total && total > 0) return providers.slice(at);
      for await (const chunk of provider.read(descriptor, { offset, unverified: true }, signal)) {
        await ingest.write(chunk);
        offset += chunk.byteLength;
        progress.status(digest, { current: offset, total });
      }
      return providers.slice(at);
    } catch (error) {
      if (isCanceled(error) || signal.aborted) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Reads the layers of a chain: from the content store what is there, the rest from where it comes. */
export class ChainProvider implements ContentProvider {
  readonly #content: ContentStore;
  /** The newest of each layer. */
  readonly #providers: ReadonlyMap<Digest, ContentProvider>;
  /** With the first of them: then some layer cannot be read any more, unless its blob is here by then. */
  readonly gone?: AbortSignal;

  constructor(content: ContentStore, chain: readonly Entry[]) {
    this.#content = content;
    this.#providers = new Map(
      chain.flatMap(({ record, providers }) => {
        const newest = providers.at(-1);
        return record.source && newest ? [[record.source.descriptor.digest, newest]] : [];
      }),
    );
    const ends = [...new Set([...this.#providers.values()].flatMap(({ gone }) => gone ?? []))];
    const [end, ...others] = ends;
    if (end) this.gone = others.length === 0 ? end : AbortSignal.any(ends);
  }

  async *read(descriptor: Descriptor, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> {
    if (await this.#content.info(descriptor.digest)) {
      yield* this.#content.read(descriptor, range, signal);
      return;
    }
    const provider = this.#providers.get(descriptor.digest);
    if (!provider) throw noProvider(descriptor);
    yield* provider.read(descriptor, range, signal);
  }
}
