/** Pushing. Facts: OCI distribution spec "push", containerd remotes/docker/pusher.go. */
import type { ContentProvider, Descriptor } from '../contracts/content.js';
import { BuildError } from '../contracts/errors.js';
import type { PushBlob } from '../contracts/registry.js';
import { isIndexType, isManifestType } from '../util/media-types.js';
import { firstAnswer, type Link, send, statusError, type Traffic } from './link.js';
import { discard, type HttpResponse } from './transport.js';

export async function hasContent(link: Link, descriptor: Descriptor, signal: AbortSignal): Promise<boolean> {
  const isManifest = isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType);
  const url = `${isManifest ? 'manifests' : 'blobs'}/${descriptor.digest}`;
  const headers = { accept: [descriptor.mediaType, '*/*'].join(', ') };
  return firstAnswer(link, { method: 'HEAD', url, headers, signal }, async (response) => {
    if (response.status !== 404 && response.status >= 300) throw await statusError('HEAD', response);
    await discard(response);
    return response.status !== 404;
  });
}

export async function pushBlob(
  link: Link,
  descriptor: Descriptor,
  source: ContentProvider,
  options: PushBlob,
  signal: AbortSignal,
): Promise<void> {
  using _lane = await link.lanes.enter(link.endpoints.at(-1)!.host, 'blob', signal);
  if (await hasContent(link, descriptor, signal)) {
    options.onProgress?.(descriptor.size);
    return;
  }
  const location = await startUpload(link, descriptor, options.mountFrom ?? [], signal);
  if (location === undefined) {
    options.onProgress?.(descriptor.size);
    return;
  }
  const url = new URL(location);
  url.searchParams.set('digest', descriptor.digest);
  const response = await send(link, link.endpoints.at(-1)!, {
    method: 'PUT',
    url: url.href,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
    body: () => counted(link.traffic, source.read(descriptor, {}, signal), options.onProgress),
    signal,
  });
  await expectStatus('PUT', response, 201, 204);
}

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

export async function pushManifest(
  link: Link,
  descriptor: Descriptor,
  data: Uint8Array,
  tag: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const endpoint = link.endpoints.at(-1)!;
  using _lane = await link.lanes.enter(endpoint.host, 'json', signal);
  const response = await send(link, endpoint, {
    method: 'PUT',
    url: `manifests/${tag ?? descriptor.digest}`,
    headers: { 'content-type': descriptor.mediaType },
    body: () => data,
    signal,
  });
  await expectStatus('PUT', response, 201, 200, 202);
}

async function expectStatus(method: string, response: HttpResponse, ...statuses: number[]): Promise<void> {
  if (!statuses.includes(response.status)) throw await statusError(method, response);
  await discard(response);
}

async function* counted(
  traffic: Traffic,
  data: AsyncIterable<Uint8Array>,
  onProgress: ((bytes: number) => void) | undefined,
): AsyncIterable<Uint8Array> {
  let sent = 0;
  for await (const chunk of data) {
    yield chunk;
    sent += chunk.length;
    traffic.pushed += chunk.length;
    onProgress?.(sent);
  }
}
