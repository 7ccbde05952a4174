/** The few calls of S3 that a cache needs. Large objects go up in parts, one in memory at a time. */
import { AwsClient } from 'aws4fetch';
import type { ByteRange } from '../../../core/contracts/content.js';
import { collect, parts } from '../../../core/util/chunks.js';
import { usualDelays } from '../../../core/util/retry.js';
import type { Answer } from '../shared/answer.js';
import { rangeHeader, StoreHttp, type StorePatience } from '../shared/http.js';
import type { S3Options } from './s3-options.js';

/** Bytes. S3 takes at most 10,000 parts of an object, and none but the last below 5 MiB. */
const PART = 16 << 20;
/** Bytes: larger objects cannot be copied in one request. */
export const maxCopy = 5 * 1024 ** 3;

/** Milliseconds that an upload that failed may take to be given up. */
const CLEANUP = 10_000;

type Body = NonNullable<RequestInit['body']>;

export class S3Client {
  readonly #aws: AwsClient;
  readonly #http: StoreHttp;
  readonly #url: string;
  readonly #bucket: string;

  constructor({ url, bucket, region, credentials, attempts }: S3Options, patience: StorePatience = {}) {
    this.#url = url;
    this.#bucket = bucket;
    this.#aws = new AwsClient({ ...credentials, region, service: 's3' });
    const {
      delays = Array.from({ length: attempts - 1 }, (_, at) => usualDelays[at] ?? usualDelays.at(-1)!),
    } = patience;
    this.#http = new StoreHttp('s3', { ...patience, delays });
  }

  /** undefined when there is no such object. */
  async head(
    key: string,
    signal: AbortSignal,
  ): Promise<{ readonly size: number; readonly modified: number } | undefined> {
    const answer = await this.#call('HEAD', key, {}, signal);
    if (answer.status !== 404 && !answer.ok) throw await answer.refusal();
    await answer.discard();
    if (answer.status === 404) return undefined;
    const modified = Date.parse(answer.headers.get('last-modified') ?? '');
    return { size: Number(answer.headers.get('content-length') ?? 0), modified };
  }

  read(key: string, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const open = (part: ByteRange): Promise<Answer> => {
      const header = rangeHeader(part);
      return this.#call('GET', key, { headers: header ? { range: header } : {} }, signal);
    };
    return this.#http.read(key, range, open, signal);
  }

  /** undefined when there is no such object. */
  async get(key: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const answer = await this.#call('GET', key, {}, signal);
    if (answer.ok) return answer.whole();
    if (answer.status !== 404) throw await answer.refusal();
    await answer.discard();
    return undefined;
  }

  async put(key: string, data: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#done('PUT', key, { body: data as Body }, signal);
  }

  async putStream(
    key: string,
    data: AsyncIterable<Uint8Array>,
    size: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (size <= PART) {
      await this.put(key, await collect(data), signal);
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
    await this.#done('PUT', key, { headers }, signal);
  }

  async #multipart(key: string, data: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const begun = await (await this.#checked('POST', key, {}, signal, '?uploads=')).text();
    const id = encodeURIComponent(/<UploadId>([^<]+)<\/UploadId>/.exec(begun)?.[1] ?? '');
    try {
      const tags: string[] = [];
      for await (const part of parts(data, PART)) {
        const query = `?partNumber=${tags.length + 1}&uploadId=${id}`;
        const headers = await this.#done('PUT', key, { body: part as Body }, signal, query);
        tags.push(headers.get('etag') ?? '');
      }
      const listed = tags.map(
        (tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${tag}</ETag></Part>`,
      );
      const body = `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`;
      await this.#done('POST', key, { body }, signal, `?uploadId=${id}`);
    } catch (error) {
      // Unfinished parts cost money until somebody removes them. What is told is why they are unfinished.
      await this.#done('DELETE', key, {}, AbortSignal.timeout(CLEANUP), `?uploadId=${id}`).catch(() => {});
      throw error;
    }
  }

  async #checked(
    method: string,
    key: string,
    init: RequestInit,
    signal: AbortSignal,
    query = '',
  ): Promise<Answer> {
    const answer = await this.#call(method, key, init, signal, query);
    if (answer.ok) return answer;
    throw await answer.refusal();
  }

  /** Answers the headers. */
  async #done(
    method: string,
    key: string,
    init: RequestInit,
    signal: AbortSignal,
    query = '',
  ): Promise<Headers> {
    const answer = await this.#checked(method, key, init, signal, query);
    await answer.discard();
    return answer.headers;
  }

  #call(method: string, key: string, init: RequestInit, signal: AbortSignal, query = ''): Promise<Answer> {
    const what = method === 'GET' || method === 'HEAD' ? key : `${method} ${key}`;
    const make = (): Promise<Request> => this.#aws.sign(`${this.#address(key)}${query}`, { ...init, method });
    return this.#http.ask(what, make, signal);
  }

  #address(key: string): string {
    return `${this.#url}/${encoded(key)}`;
  }
}

const encoded = (key: string): string => key.split('/').map(encodeURIComponent).join('/');
