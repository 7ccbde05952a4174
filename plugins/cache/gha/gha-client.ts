/**
 * The cache service of GitHub's runners, in both versions: entries are written once under a key and found by a beginning of
 * it, the newest first. Facts: BuildKit's vendored go-actions-cache.
 */
import type { ByteRange } from '../../../core/contracts/content.js';
import { BuildError } from '../../../core/contracts/errors.js';
import { parts } from '../../../core/util/chunks.js';
import { sha256 } from '../../../core/util/digest.js';
import type { Answer } from '../shared/answer.js';
import { rangeHeader, StoreHttp, type StorePatience } from '../shared/http.js';
import type { GhaOptions } from './gha-options.js';

/** Bytes sent at once. */
const PART = 16 << 20;
/** Entries of other versions are other entries. */
const version = sha256('|go-actionscache-1.0').slice('sha256:'.length);

export interface GhaEntry {
  readonly key: string;
  /** Good for a while, for whoever has it. */
  readonly url: string;
}

export class GhaClient {
  readonly #options: GhaOptions;
  readonly #http: StoreHttp;

  constructor(options: GhaOptions, patience?: StorePatience) {
    this.#options = options;
    this.#http = new StoreHttp('gha', patience);
  }

  /** The newest entry whose key begins so. */
  async find(key: string, signal: AbortSignal): Promise<GhaEntry | undefined> {
    if (this.#options.version === 1) return this.#findFirst(key, signal);
    const found = await this.#twirp<{ signed_download_url: string; matched_key: string }>(
      'GetCacheEntryDownloadURL',
      { key, restore_keys: [key], version },
      signal,
    );
    return found && { key: found.matched_key, url: found.signed_download_url };
  }

  read({ key, url }: GhaEntry, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const open = (part: ByteRange): Promise<Answer> => {
      const header = rangeHeader(part);
      return this.#http.ask(
        key,
        () => new Request(url, { headers: header ? { range: header } : {} }),
        signal,
      );
    };
    return this.#http.read(key, range, open, signal);
  }

  async get({ key, url }: GhaEntry, signal: AbortSignal): Promise<Uint8Array> {
    const answer = await this.#http.ask(key, () => new Request(url), signal);
    if (!answer.ok) throw await answer.refusal();
    return answer.whole();
  }

  /** AlreadyExists when somebody has written, or is writing, an entry of this key. */
  async save(key: string, data: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    if (this.#options.version === 1) await this.#saveFirst(key, data, signal);
    else await this.#saveSecond(key, data, signal);
  }

  async #findFirst(key: string, signal: AbortSignal): Promise<GhaEntry | undefined> {
    const query = `cache?keys=${encodeURIComponent(key)}&version=${version}`;
    const answer = await this.#first('GET', query, {}, signal);
    if (answer.status === 204) {
      await answer.discard();
      return undefined;
    }
    const { cacheKey, archiveLocation } = await answer.json<Record<string, string>>();
    return { key: cacheKey ?? key, url: archiveLocation ?? '' };
  }

  async #saveFirst(key: string, data: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const json = { 'content-type': 'application/json' };
    const body = JSON.stringify({ key, version });
    const reserved = await this.#first('POST', 'caches', { headers: json, body }, signal);
    const { cacheId } = await reserved.json<{ readonly cacheId: number }>();
    let size = 0;
    for await (const part of parts(data, PART)) {
      const headers = {
        'content-type': 'application/octet-stream',
        'content-range': `bytes ${size}-${size + part.length - 1}/*`,
      };
      const sent = await this.#first('PATCH', `caches/${cacheId}`, { headers, body: part as Body }, signal);
      await sent.discard();
      size += part.length;
    }
    const end = { headers: json, body: JSON.stringify({ size }) };
    await (await this.#first('POST', `caches/${cacheId}`, end, signal)).discard();
  }

  /** The service says where the bytes go: a blob of Azure's, with all rights in its URL. */
  async #saveSecond(key: string, data: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const reserved = await this.#twirp<{ signed_upload_url: string }>(
      'CreateCacheEntry',
      { key, version },
      signal,
    );
    if (!reserved) throw new BuildError('cache.store', `gha: no entry ${key} could be made`);
    const url = reserved.signed_upload_url;
    const blocks: string[] = [];
    let size = 0;
    for await (const part of parts(data, PART)) {
      const id = Buffer.from(String(blocks.length).padStart(8, '0')).toString('base64');
      blocks.push(id);
      size += part.length;
      await this.#put(`${url}&comp=block&blockid=${encodeURIComponent(id)}`, part as Body, signal);
    }
    const list = blocks.map((id) => `<Latest>${id}</Latest>`).join('');
    await this.#put(`${url}&comp=blocklist`, `<BlockList>${list}</BlockList>`, signal);
    await this.#twirp('FinalizeCacheEntryUpload', { key, size_bytes: size, version }, signal);
  }

  async #put(url: string, body: Body, signal: AbortSignal): Promise<void> {
    const answer = await this.#http.ask('upload', () => new Request(url, { method: 'PUT', body }), signal);
    if (!answer.ok) throw await answer.refusal();
    await answer.discard();
  }

  /** undefined when the answer is not `ok`. */
  async #twirp<T>(method: string, body: object, signal: AbortSignal): Promise<T | undefined> {
    const { url, token } = this.#options;
    const make = (): Request =>
      new Request(`${url}/twirp/github.actions.results.api.v1.CacheService/${method}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const answer = await this.#http.ask(method, make, signal);
    if (!answer.ok) throw await answer.refusal();
    const told = await answer.json<T & { readonly ok: boolean }>();
    return told.ok ? told : undefined;
  }

  async #first(method: string, path: string, init: RequestInit, signal: AbortSignal): Promise<Answer> {
    const { url, token } = this.#options;
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json;api-version=6.0-preview.1',
      ...(init.headers as Record<string, string> | undefined),
    };
    const make = (): Request =>
      new Request(`${url}/_apis/artifactcache/${path}`, { ...init, method, headers });
    const answer = await this.#http.ask(`${method} ${path}`, make, signal);
    if (answer.ok) return answer;
    throw await answer.refusal();
  }
}

type Body = NonNullable<RequestInit['body']>;
