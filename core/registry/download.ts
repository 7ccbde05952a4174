/**
 * Reading blobs. A broken connection goes on at the byte where it stopped; what was delivered is never delivered
 * twice, so the consumer sees one unbroken stream. A mirror that breaks, or whose bytes turn out to be wrong, is left for
 * the next host.
 */
import { createHash } from 'node:crypto';
import type { ByteRange, ContentProvider, Descriptor } from '../contracts/content.js';
import { BuildError, canceled, isCanceled } from '../contracts/errors.js';
import type { Digest } from '../util/digest.js';
import { getOrAdd } from '../util/get-or-add.js';
import { digestMismatch, requestFailed } from './errors.js';
import type { Endpoint } from './hosts.js';
import { firstAnswer, type Link, statusError } from './link.js';
import { discard, type HttpResponse, reasonOf } from './transport.js';

/** Bytes after which a connection that broke has been worth opening: from here on its troubles are counted anew. */
const PROGRESS = 64 * 1024;

export function blobsOf(link: Link): ContentProvider {
  const servedBy = new Map<Digest, Endpoint>();
  const distrust = (digest: Digest): void => {
    const endpoint = servedBy.get(digest);
    if (endpoint?.mirrorOf === undefined) return;
    getOrAdd(link.distrusted, digest, () => new Set()).add(endpoint);
    link.retry.log?.(`mirror ${endpoint.host}: wrong bytes for ${digest}, leaving it for the next host\n`);
  };
  return {
    place: placeOf(link),
    distrust,
    async *read(descriptor, range, signal) {
      try {
        yield* readBlob(link, descriptor, range, servedBy, signal);
      } catch (error) {
        const known = BuildError.from(error);
        if (known.grpcCode === 'DataLoss') distrust(descriptor.digest);
        // Whoever reads a layer, long after it was asked for, has no other name for it.
        const isNamed = isCanceled(known) || known.message.includes(link.path);
        throw isNamed ? error : known.wrap(nameOf(link, descriptor.digest));
      }
    },
  };
}

async function* readBlob(
  link: Link,
  descriptor: Descriptor,
  range: ByteRange,
  servedBy: Map<Digest, Endpoint>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const start = range.offset ?? 0;
  const end = Math.min(descriptor.size, range.length === undefined ? descriptor.size : start + range.length);
  const whole = start === 0 && end === descriptor.size;
  // The limit is the registry's, whichever mirror answers.
  using _lane = await link.lanes.enter(link.endpoints.at(-1)!.host, 'blob', signal);
  const hash = whole && !range.unverified ? createHash('sha256') : undefined;
  for await (const chunk of new Download(link, descriptor, end, servedBy, signal).from(start)) {
    hash?.update(chunk);
    link.traffic.pulled += chunk.length;
    yield chunk;
  }
  const digest = hash && (`sha256:${hash.digest('hex')}` as const);
  if (digest && digest !== descriptor.digest) {
    throw digestMismatch(nameOf(link, descriptor.digest), descriptor.digest, digest);
  }
}

/** Asks for the size only. */
export async function describeBlob(link: Link, digest: Digest, signal: AbortSignal): Promise<Descriptor> {
  using _lane = await link.lanes.enter(link.endpoints.at(-1)!.host, 'json', signal);
  return firstAnswer(link, { method: 'HEAD', url: `blobs/${digest}`, signal }, async (response) => {
    if (response.status === 404) {
      await discard(response);
      throw blobNotFound(link, digest);
    }
    if (response.status !== 200) throw await statusError('HEAD', response);
    await discard(response);
    const size = Number(response.headers['content-length'] ?? Number.NaN);
    if (Number.isSafeInteger(size)) return { mediaType: 'application/octet-stream', digest, size };
    throw new BuildError('registry.protocol', `${nameOf(link, digest)}: the registry tells no size`);
  });
}

interface Opened {
  readonly response: HttpResponse;
  readonly endpoint: Endpoint;
  /** Bytes that come first and are not wanted: the server knows no ranges. */
  readonly skip: number;
}

/** One blob's bytes up to `end`, over as many connections as it takes. */
class Download {
  readonly #link: Link;
  readonly #descriptor: Descriptor;
  readonly #end: number;
  readonly #servedBy: Map<Digest, Endpoint>;
  readonly #signal: AbortSignal;
  readonly #avoided: Set<Endpoint>;
  #offset = 0;
  /** In a row, and where the first of them happened. */
  #failures = 0;
  #stuckAt = 0;

  constructor(
    link: Link,
    descriptor: Descriptor,
    end: number,
    servedBy: Map<Digest, Endpoint>,
    signal: AbortSignal,
  ) {
    this.#link = link;
    this.#descriptor = descriptor;
    this.#end = end;
    this.#servedBy = servedBy;
    this.#signal = signal;
    this.#avoided = new Set(link.distrusted.get(descriptor.digest));
  }

  async *from(start: number): AsyncIterable<Uint8Array> {
    this.#offset = start;
    for (;;) {
      const opened = await this.#open();
      try {
        yield* this.#useful(opened);
        this.#refuseSurplus(opened.response);
        return;
      } catch (error) {
        await this.#recover(opened, error);
      }
    }
  }

  /** Until all is there; rejects when the connection ends before. */
  async *#useful({ response, skip }: Opened): AsyncIterable<Uint8Array> {
    let toSkip = skip;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      const useful = toSkip > 0 ? chunk.subarray(toSkip) : chunk;
      toSkip = Math.max(0, toSkip - chunk.length);
      const part = useful.subarray(0, this.#end - this.#offset);
      this.#offset += part.length;
      if (part.length > 0) yield part;
      if (part.length < useful.length) return;
    }
    if (this.#offset === this.#end) return;
    const message = `the server closed the connection at byte ${this.#offset} of ${this.#end}`;
    throw Object.assign(new Error(message), { code: 'ECONNRESET' });
  }

  /** Returns when the rest is worth asking for. */
  async #recover({ response, endpoint }: Opened, error: unknown): Promise<void> {
    const { retry, transport } = this.#link;
    if (this.#signal.aborted) throw canceled(this.#signal.reason);
    if (error instanceof BuildError) throw error;
    const at = `${this.#descriptor.digest} at ${this.#offset}`;
    if (endpoint.mirrorOf !== undefined) {
      this.#avoided.add(endpoint);
      retry.log?.(`mirror ${endpoint.host}: ${reasonOf({ error })}, resuming ${at} at the next host\n`);
      return;
    }
    if (this.#failures === 0 || this.#offset - this.#stuckAt >= PROGRESS) {
      this.#failures = 0;
      this.#stuckAt = this.#offset;
    }
    const wait = transport.pause({ error }, retry.delays[this.#failures++]);
    if (wait === undefined) throw requestFailed('GET', response.url, error, this.#failures);
    retry.log?.(`${reasonOf({ error })}, resuming ${at} in ${wait} ms\n`);
    await transport.sleep(wait, this.#signal);
  }

  async #open(): Promise<Opened> {
    const { mediaType, digest, size } = this.#descriptor;
    const partial = this.#offset > 0 || this.#end < size;
    const range = `bytes=${this.#offset}-${this.#end - 1}`;
    const headers = {
      accept: [mediaType, '*/*'].join(', '),
      ...(partial && this.#end > this.#offset ? { range } : {}),
    };
    const request = { method: 'GET', url: `blobs/${digest}`, headers, signal: this.#signal } as const;
    return firstAnswer(
      this.#link,
      request,
      async (response, endpoint) => {
        this.#servedBy.set(digest, endpoint);
        if (response.status === 206) return { response, endpoint, skip: this.#surplusBefore(response) };
        if (response.status === 200) return { response, endpoint, skip: this.#offset };
        if (response.status !== 404) throw await statusError('GET', response);
        await discard(response);
        throw blobNotFound(this.#link, digest);
      },
      this.#avoided,
    );
  }

  /** A server may send a larger part than was asked for, but none that begins later. */
  #surplusBefore({ headers, url }: HttpResponse): number {
    const start = /^bytes (\d+)-/.exec(String(headers['content-range'] ?? ''))?.[1];
    const surplus = start === undefined ? 0 : this.#offset - Number(start);
    if (surplus >= 0) return surplus;
    throw new BuildError('registry.protocol', `${url} sent bytes from ${start} on, not from ${this.#offset}`);
  }

  /** A server that sends more than the descriptor says is not serving this blob. */
  #refuseSurplus({ headers, status }: HttpResponse): void {
    const { digest, size } = this.#descriptor;
    const length = Number(headers['content-length'] ?? Number.NaN);
    if (status !== 200 || this.#end !== size || Number.isNaN(length) || length === size) return;
    throw digestMismatch(nameOf(this.#link, digest), size, length);
  }
}

const placeOf = ({ endpoints, path }: Link): string => `${endpoints.at(-1)!.host}/${path}`;

const nameOf = (link: Link, digest: Digest): string => `blob ${digest} of ${placeOf(link)}`;

const blobNotFound = (link: Link, digest: Digest): BuildError =>
  new BuildError('registry.blob-not-found', `blob ${digest} not found in ${placeOf(link)}`, {
    grpcCode: 'NotFound',
  });
