/** The few calls of Azure's blob storage that a cache needs. Blobs go up in blocks, one in memory at a time. */
import type { ByteRange } from '../../../core/contracts/content.js';
import { bodyOf, rangeHeader, refusal, wholeBody } from '../shared/http.js';
import { parts } from '../shared/parts.js';
import type { AzblobOptions } from './azblob-options.js';
import { authorization } from './shared-key.js';

/** Bytes sent at once. */
const BLOCK = 16 << 20;
const apiVersion = '2021-12-02';

export class AzblobClient {
  readonly #options: AzblobOptions;

  constructor(options: AzblobOptions) {
    this.#options = options;
  }

  /** Makes the container unless it is there. */
  async open(signal: AbortSignal): Promise<void> {
    const found = await this.#call('GET', '', { restype: 'container' }, {}, undefined, signal);
    await found.body?.cancel();
    if (found.ok) return;
    if (found.status !== 404) throw await refusal('azblob: container', found);
    const made = await this.#call('PUT', '', { restype: 'container' }, {}, undefined, signal);
    // Somebody else may have made it meanwhile.
    if (!made.ok && made.status !== 409) throw await refusal('azblob: container', made);
  }

  async exists(name: string, signal: AbortSignal): Promise<boolean> {
    const response = await this.#call('HEAD', name, {}, {}, undefined, signal);
    if (response.status === 404) return false;
    if (response.ok) return true;
    throw await refusal(`azblob: ${name}`, response);
  }

  async *read(name: string, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> {
    if (range.length === 0) return;
    const header = rangeHeader(range);
    const response = await this.#call(
      'GET',
      name,
      {},
      header ? { 'x-ms-range': header } : {},
      undefined,
      signal,
    );
    if (!response.ok) throw await refusal(`azblob: ${name}`, response);
    yield* bodyOf(response);
  }

  /** undefined when there is no such blob. */
  async get(name: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const response = await this.#call('GET', name, {}, {}, undefined, signal);
    if (response.status === 404) return undefined;
    if (!response.ok) throw await refusal(`azblob: ${name}`, response);
    return wholeBody(response);
  }

  async put(name: string, data: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const blocks: string[] = [];
    for await (const part of parts(data, BLOCK)) {
      const blockid = Buffer.from(String(blocks.length).padStart(8, '0')).toString('base64');
      blocks.push(blockid);
      await this.#send(name, { comp: 'block', blockid }, part, signal);
    }
    const list = blocks.map((id) => `<Latest>${id}</Latest>`).join('');
    await this.#send(name, { comp: 'blocklist' }, Buffer.from(`<BlockList>${list}</BlockList>`), signal);
  }

  async #send(
    name: string,
    query: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.#call('PUT', name, query, {}, body, signal);
    if (!response.ok) throw await refusal(`azblob: ${name}`, response);
  }

  #call(
    method: string,
    name: string,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    const { url: container, account, key } = this.#options;
    const path = name.split('/').map(encodeURIComponent).join('/');
    const url = new URL(path === '' ? container : `${container}/${path}`);
    for (const [part, value] of Object.entries(query)) url.searchParams.set(part, value);
    const signed = {
      ...headers,
      'x-ms-date': new Date().toUTCString(),
      'x-ms-version': apiVersion,
      ...(body ? { 'content-type': 'application/octet-stream' } : {}),
    };
    const length = String(body?.length ?? 0);
    const sign = authorization({ account, key }, method, url, { ...signed, 'content-length': length });
    return fetch(url, {
      method,
      headers: { ...signed, authorization: sign },
      signal,
      ...(body ? { body: body as NonNullable<RequestInit['body']> } : {}),
    });
  }
}
