/** Pushing. Facts: OCI distribution spec "push", containerd remotes/docker/pusher.go. */
import type { ContentProvider, Descriptor } from '../contracts/content.js';
import { BuildError, canceled } from '../contracts/errors.js';
import type { PushBlob } from '../contracts/registry.js';
import { isDigest } from '../util/digest.js';
import { isIndexType, isManifestType } from '../util/media-types.js';
import { digestMismatch, requestFailed, unexpectedStatus } from './errors.js';
import { firstAnswer, type Link, send, statusError, type Traffic } from './link.js';
import { discard, errorText, type HttpResponse, type Outcome, reasonOf } from './transport.js';

/** A blob of another size is not that blob, whatever the registry takes it for. */
const hasSize = ({ headers }: HttpResponse, size: number): boolean =>
  headers['content-length'] === undefined || Number(headers['content-length']) === size;

export async function hasContent(link: Link, descriptor: Descriptor, signal: AbortSignal): Promise<boolean> {
  const isManifest = isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType);
  const url = `${isManifest ? 'manifests' : 'blobs'}/${descriptor.digest}`;
  const headers = { accept: [descriptor.mediaType, '*/*'].join(', ') };
  return firstAnswer(link, { method: 'HEAD', url, headers, signal }, async (response) => {
    if (response.status !== 404 && response.status >= 300) throw await statusError('HEAD', response);
    await discard(response);
    return response.status !== 404 && (isManifest || hasSize(response, descriptor.size));
  });
}

/**
 * What is left of an upload that broke is of no use: registries append what comes next, or have forgotten it. So each
 * try is an upload of its own, unless the last one arrived after all.
 */
export async function pushBlob(
  link: Link,
  descriptor: Descriptor,
  source: ContentProvider,
  options: PushBlob,
  signal: AbortSignal,
): Promise<void> {
  using _lane = await link.lanes.enter(link.endpoints.at(-1)!.host, 'blob', signal);
  for (let tries = 1; ; tries++) {
    if (await hasContent(link, descriptor, signal)) break;
    const location = await startUpload(link, descriptor, options.mountFrom ?? [], signal);
    if (location === undefined) break;
    const failure = await sendBlob(link, location, descriptor, source, options, signal);
    if (!failure) return;
    const wait = link.transport.pause(failure.outcome, link.retry.delays[tries - 1]);
    if (wait === undefined) throw failure.error(tries);
    link.retry.log?.(`${reasonOf(failure.outcome)}, uploading ${descriptor.digest} again in ${wait} ms\n`);
    await link.transport.sleep(wait, signal);
  }
  options.onProgress?.(descriptor.size);
}

interface Failure {
  readonly outcome: Outcome;
  readonly error: (tries: number) => unknown;
}

/** undefined: the registry has it. */
async function sendBlob(
  link: Link,
  location: string,
  descriptor: Descriptor,
  source: ContentProvider,
  { onProgress }: PushBlob,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const url = new URL(location);
  url.searchParams.set('digest', descriptor.digest);
  const body = new Body(link.traffic, () => source.read(descriptor, {}, signal), onProgress);
  let response: HttpResponse;
  try {
    response = await send(link, link.endpoints.at(-1)!, {
      method: 'PUT',
      url: url.href,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
      body: () => body.open(),
      once: true,
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw canceled(signal.reason);
    // Bytes that cannot be had here are no trouble of the registry's.
    if (body.failure) throw body.failure.error;
    const cause = error instanceof BuildError && error.cause ? error.cause : error;
    return { outcome: { error: cause }, error: (tries) => requestFailed('PUT', url.href, cause, tries) };
  }
  if (response.status === 201 || response.status === 204) {
    await discard(response);
    return undefined;
  }
  const text = await errorText(response);
  const isLost = lostUpload.test(text);
  const outcome = isLost
    ? { error: Object.assign(new Error(`the upload was lost (${response.status})`), { code: 'EPIPE' }) }
    : { response };
  return { outcome, error: (tries) => unexpectedStatus('PUT', { ...response, tries }, text) };
}

/** What a registry says of an upload that something in between has changed or cut. Distribution spec: error codes. */
const lostUpload = /"(?:DIGEST_INVALID|BLOB_UPLOAD_UNKNOWN|BLOB_UPLOAD_INVALID|SIZE_INVALID|RANGE_INVALID)"/;

/** Opens an upload and answers where its bytes go; undefined when a mount made it unnecessary. */
async function startUpload(
  link: Link,
  descriptor: Descriptor,
  mountFrom: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const endpoint = link.endpoints.at(-1)!;
  for (const from of mountFrom) {
    const query = new URLSearchParams({ mount: descriptor.digest, from });
    const response = await send(link, endpoint, {
      method: 'POST',
      url: `blobs/uploads/?${query}`,
      extraScopes: [`repository:${from}:pull`],
      signal,
    });
    await discard(response);
    if (response.status === 201) return undefined;
    if (response.status === 202) return uploadLocation(response);
    // Refused mounts (403, 404, 405) are no failure: the bytes can still be sent.
  }
  const response = await send(link, endpoint, { method: 'POST', url: 'blobs/uploads/', signal });
  await expectStatus('POST', response, 202, 201);
  return uploadLocation(response);
}

function uploadLocation(response: HttpResponse): string {
  const { location } = response.headers;
  if (typeof location === 'string') return new URL(location, response.url).href;
  throw new BuildError(
    'registry.protocol',
    `the registry opened an upload at ${response.url} without saying where`,
  );
}

/** What is put under a tag, the registry takes as it comes: that it came right is told by its answer. */
export async function pushManifest(
  link: Link,
  descriptor: Descriptor,
  data: Uint8Array,
  tag: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const endpoint = link.endpoints.at(-1)!;
  using _lane = await link.lanes.enter(endpoint.host, 'json', signal);
  for (let tries = 1; ; tries++) {
    const response = await send(link, endpoint, {
      method: 'PUT',
      url: `manifests/${tag ?? descriptor.digest}`,
      headers: { 'content-type': descriptor.mediaType },
      body: () => data,
      signal,
    });
    await expectStatus('PUT', response, 201, 200, 202);
    const stored = response.headers['docker-content-digest'];
    if (typeof stored !== 'string' || !isDigest(stored) || stored === descriptor.digest) return;
    const wait = link.retry.delays[tries - 1];
    if (wait === undefined) {
      const name = `${endpoint.host}/${link.path}${tag ? `:${tag}` : ''}`;
      throw digestMismatch(`pushed manifest ${name}`, descriptor.digest, stored);
    }
    link.retry.log?.(`the registry stored ${stored} for ${descriptor.digest}, pushing again in ${wait} ms\n`);
    await link.transport.sleep(wait, signal);
  }
}

async function expectStatus(method: string, response: HttpResponse, ...statuses: number[]): Promise<void> {
  if (!statuses.includes(response.status)) throw await statusError(method, response);
  await discard(response);
}

/** The bytes of an upload, as they are sent. */
class Body {
  readonly #traffic: Traffic;
  readonly #read: () => AsyncIterable<Uint8Array>;
  readonly #onProgress: ((bytes: number) => void) | undefined;
  /** Of whoever has the bytes. */
  failure: { readonly error: unknown } | undefined;

  constructor(
    traffic: Traffic,
    read: () => AsyncIterable<Uint8Array>,
    onProgress: ((bytes: number) => void) | undefined,
  ) {
    this.#traffic = traffic;
    this.#read = read;
    this.#onProgress = onProgress;
  }

  async *open(): AsyncIterable<Uint8Array> {
    let sent = 0;
    try {
      for await (const chunk of this.#read()) {
        yield chunk;
        sent += chunk.length;
        this.#traffic.pushed += chunk.length;
        this.#onProgress?.(sent);
      }
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}
