/** The few calls of Azure's blob storage that a cache needs. Blobs go up in blocks, one in memory at a time. */
import type { ByteRange } from '../../../core/contracts/content.js';
import { parts } from '../../../core/util/chunks.js';
import type { Answer } from '../shared/answer.js';
import { rangeHeader, StoreHttp, type StorePatience } from '../shared/http.js';
import type { AzblobOptions } from './azblob-options.js';
import { authorization } from './shared-key.js';

/** Bytes sent at once. */
const BLOCK = 16 << 20;
const apiVersion = '2021-12-02';

export class AzblobClient {
  readonly #options: AzblobOptions;
  readonly #http: StoreHttp;

  constructor(options: AzblobOptions, patience?: StorePatience) {
    this.#options = options;
    this.#http = new StoreHttp('azblob', patience);
  }

  /** Makes the container unless it is there. */
  async open(signal: AbortSignal): Promise<void> {
    const query = { restype: 'container' };
    const found = await this.#call({ method: 'GET', name: '', query }, signal);
    if (found.ok) return found.discard();
    if (found.status !== 404) throw await found.refusal();
    await found.discard();
    const made = await this.#call({ method: 'PUT', name: '', query }, signal);
    // Somebody else may have made it meanwhile.
    if (!made.ok && made.status !== 409) throw await made.refusal();
    await made.discard();
  }

  async exists(name: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#call({ method: 'HEAD', name }, signal);
    if (!answer.ok && answer.status !== 404) throw await answer.refusal();
    await answer.discard();
    return answer.ok;
  }

  read(name: string, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const open = (part: ByteRange): Promise<Answer> => {
      const header = rangeHeader(part);
      return this.#call({ method: 'GET', name, headers: header ? { 'x-ms-range': header } : {} }, signal);
    };
    return this.#http.read(name, range, open, signal);
  }

  /** undefined when there is no such blob. */
  async get(name: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const answer = await this.#call({ method: 'GET', name }, signal);
    if (answer.ok) return answer.whole();
    if (answer.status !== 404) throw await answer.refusal();
    await answer.discard();
    return undefined;
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
    const answer = await this.#call({ method: 'PUT', name, query, body }, signal);
    if (!answer.ok) throw await answer.refusal();
    await answer.discard();
  }

  #call(call: Call, signal: AbortSignal): Promise<Answer> {
    return this.#http.ask(call.name || 'container', () => this.#signed(call), signal);
  }

  #signed({ method, name, query = {}, headers = {}, body }: Call): Request {
    const { url: container, account, key } = this.#options;
    const path = name.split('/').map(encodeURIComponent).join('/');
    const url = new URL(path === '' ? container : `${container}/${path}`);
    for (const [part, value] of Object.entries(query)) url.searchParams.set(part, value);
    const sent = {
      ...headers,
      'x-ms-date': new Date().toUTCString(),
      'x-ms-version': apiVersion,
      ...(body ? { 'content-type': 'application/octet-stream' } : {}),
    };
    const length = String(body?.length ?? 0);
    const sign = authorization({ account, key }, method, url, { ...sent, 'content-length': length });
    return new Request(url, {
      method,
      headers: { ...sent, authorization: sign },
      ...(body ? { body: body as NonNullable<RequestInit['body']> } : {}),
    });
  }
}

interface Call {
  readonly method: string;
  /** Of a blob; empty for the container. */
  readonly name: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}
