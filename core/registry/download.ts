/**
 * Reading blobs. A broken connection goes on at the byte where it stopped; what was delivered is never delivered
 * twice, so the consumer sees one unbroken stream.
 */
import { createHash } from 'node:crypto';
import type { ByteRange, Descriptor } from '../contracts/content.js';
import { BuildError, canceled } from '../contracts/errors.js';
import type { Digest } from '../util/digest.js';
import { digestMismatch, requestFailed } from './errors.js';
import { firstAnswer, type Link, statusError } from './link.js';
import { discard, type HttpResponse } from './transport.js';

export async function* readBlob(
  link: Link,
  descriptor: Descriptor,
  range: ByteRange,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const start = range.offset ?? 0;
  const end = Math.min(descriptor.size, range.length === undefined ? descriptor.size : start + range.length);
  const whole = start === 0 && end === descriptor.size;
  // The limit is the registry's, whichever mirror answers.
  using _lane = await link.lanes.enter(link.endpoints.at(-1)!.host, 'blob', signal);
  const hash = whole && !range.unverified ? createHash('sha256') : undefined;
  for await (const chunk of resuming(link, descriptor, start, end, signal)) {
    hash?.update(chunk);
    link.traffic.pulled += chunk.length;
    yield chunk;
  }
  const digest = hash && (`sha256:${hash.digest('hex')}` as const);
  if (digest && digest !== descriptor.digest) {
    throw digestMismatch(`blob ${descriptor.digest} of ${link.path}`, descriptor.digest, digest);
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
    throw new BuildError('registry.protocol', `blob ${digest} of ${link.path}: the registry tells no size`);
  });
}

async function* resuming(
  link: Link,
  descriptor: Descriptor,
  start: number,
  end: number,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  let offset = start;
  let failures = 0;
  while (offset < end || (end === start && failures === 0)) {
    const { response, skip } = await open(link, descriptor, offset, end, signal);
    let toSkip = skip;
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        const useful = toSkip > 0 ? chunk.subarray(toSkip) : chunk;
        toSkip = Math.max(0, toSkip - chunk.length);
        if (useful.length === 0) continue;
        const part = useful.subarray(0, end - offset);
        offset += part.length;
        failures = 0;
        if (part.length > 0) yield part;
        if (offset === end && useful.length > part.length) break;
      }
      if (offset === end) {
        refuseSurplus(link, descriptor, end, response);
        return;
      }
      throw Object.assign(new Error('the server closed the connection early'), { code: 'ECONNRESET' });
    } catch (error) {
      if (signal.aborted) throw canceled(signal.reason);
      if (error instanceof BuildError) throw error;
      const wait = link.retry.delays[failures++];
      if (wait === undefined) throw requestFailed('GET', response.url, error);
      link.retry.log?.(`error: ${(error as Error).message}, resuming ${descriptor.digest} at ${offset}\n`);
      await link.transport.sleep(wait, signal);
    }
  }
}

/** A server that sends more than the descriptor says is not serving this blob. */
function refuseSurplus(link: Link, descriptor: Descriptor, end: number, response: HttpResponse): void {
  const length = Number(response.headers['content-length'] ?? Number.NaN);
  if (response.status !== 200 || end !== descriptor.size || Number.isNaN(length)) return;
  if (length !== descriptor.size) {
    throw digestMismatch(`blob ${descriptor.digest} of ${link.path}`, descriptor.size, length);
  }
}

/** Opens the stream at `offset`; `skip` bytes come first that were not wanted (a server without ranges). */
async function open(
  link: Link,
  descriptor: Descriptor,
  offset: number,
  end: number,
  signal: AbortSignal,
): Promise<{ response: HttpResponse; skip: number }> {
  const partial = offset > 0 || end < descriptor.size;
  const headers = {
    accept: [descriptor.mediaType, '*/*'].join(', '),
    ...(partial && end > offset ? { range: `bytes=${offset}-${end - 1}` } : {}),
  };
  const url = `blobs/${descriptor.digest}`;
  return firstAnswer(link, { method: 'GET', url, headers, signal }, async (response) => {
    if (response.status === 206) return { response, skip: 0 };
    if (response.status === 200) return { response, skip: offset };
    if (response.status !== 404) throw await statusError('GET', response);
    await discard(response);
    throw blobNotFound(link, descriptor.digest);
  });
}

const blobNotFound = (link: Link, digest: Digest): BuildError =>
  new BuildError('registry.blob-not-found', `blob ${digest} not found in ${link.path}`, {
    grpcCode: 'NotFound',
  });
