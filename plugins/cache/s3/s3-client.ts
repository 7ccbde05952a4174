/** The few calls of S3 that a cache needs. Large objects go up in parts, one in memory at a time. */
import { AwsClient } from 'aws4fetch';
import type { ByteRange } from '../../../core/contracts/content.js';
import { bodyOf, rangeHeader, refusal, wholeBody } from '../shared/http.js';
import { parts } from '../shared/parts.js';
import type { S3Options } from './s3-options.js';

/** Bytes. S3 takes at most 10,000 parts of an object, and none but the last below 5 MiB. */
const PART = 16 << 20;
/** Bytes: larger objects cannot be copied in one request. */
export const maxCopy = 5 * 1024 ** 3;

type Body = NonNullable<RequestInit['body']>;

export class S3Client {
  readonly #aws: AwsClient;
  readonly #url: string;
  readonly #bucket: string;

  constructor({ url, bucket, region, credentials, attempts }: S3Options) {
    this.#url = url;
    this.#bucket = bucket;
    this.#aws = new AwsClient({ ...credentials, region, service: 's3', retries: attempts - 1 });
  }

  /** undefined when there is no such object. */
  async head(
    key: string,
    signal: AbortSignal,
  ): Promise<{ readonly size: number; readonly modified: number } | undefined> {
    const response = await this.#call('HEAD', key, {}, signal);
    if (response.status === 404) return undefined;
    if (!response.ok) throw await refusal(`s3: ${key}`, response);
    const modified = Date.parse(response.headers.get('last-modified') ?? '');
    return { size: Number(response.headers.get('content-length') ?? 0), modified };
  }

  async *read(key: string, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> {
    if (range.length === 0) return;
    const header = rangeHeader(range);
    const response = await this.#call('GET', key, { headers: header ? { range: header } : {} }, signal);
    if (!response.ok) throw await refusal(`s3: ${key}`, response);
    yield* bodyOf(response);
  }

  /** undefined when there is no such object. */
  async get(key: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const response = await this.#call('GET', key, {}, signal);
    if (response.status === 404) return undefined;
    if (!response.ok) throw await refusal(`s3: ${key}`, response);
    return wholeBody(response);
  }

  async put(key: string, data: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#checked('PUT', key, { body: data as Body }, signal);
  }

  async putStream(
    key: string,
    data: AsyncIterable<Uint8Array>,
    size: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (size <= PART) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of data) chunks.push(chunk);
      await this.put(key, Buffer.concat(chunks), signal);
      return;
    }
    await this.#multipart(key, data, signal);
  }

  /** Copies an object onto itself, which makes it young. */
  async touch(key: string, signal: AbortSignal): Promise<void> {
    const headers = {
      'x-amz-copy-source': `/${this.#bucket}/${encodeURI(key)}`,
      'x-amz-metadata-directive': 'REPLACE',
      'x-amz-meta-updated-at': new Date().toISOString(),
    };
    await this.#checked('PUT', key, { headers }, signal);
  }

  async #multipart(key: string, data: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const begun = await (await this.#checked('POST', key, {}, signal, '?uploads=')).text();
    const id = encodeURIComponent(/<UploadId>([^<]+)<\/UploadId>/.exec(begun)?.[1] ?? '');
    try {
      const tags: string[] = [];
      for await (const part of parts(data, PART)) {
        const query = `?partNumber=${tags.length + 1}&uploadId=${id}`;
        const response = await this.#checked('PUT', key, { body: part as Body }, signal, query);
        tags.push(response.headers.get('etag') ?? '');
      }
      const listed = tags.map(
        (tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${tag}</ETag></Part>`,
      );
      const body = `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`;
      await this.#checked('POST', key, { body }, signal, `?uploadId=${id}`);
    } catch (error) {
      // Unfinished parts cost money until somebody removes them.
      await this.#call('DELETE', key, {}, new AbortController().signal, `?uploadId=${id}`).catch(() => {});
      throw error;
    }
  }

  async #checked(
    method: string,
    key: string,
    init: RequestInit,
    signal: AbortSignal,
    query = '',
  ): Promise<Response> {
    const response = await this.#call(method, key, init, signal, query);
    if (response.ok) return response;
    throw await refusal(`s3: ${method} ${key}`, response);
  }

  #call(method: string, key: string, init: RequestInit, signal: AbortSignal, query = ''): Promise<Response> {
    return this.#aws.fetch(`${this.#address(key)}${query}`, { ...init, method, signal });
  }

  #address(key: string): string {
    return `${this.#url}/${encoded(key)}`;
  }
}

const encoded = (key: string): string => key.split('/').map(encodeURIComponent).join('/');
