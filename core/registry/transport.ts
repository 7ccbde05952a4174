/**
 * HTTP to registries: one connection pool per TLS configuration, redirects, retries.
 *
 * 1. A request is repeated when the connection broke, nothing came for a while, or the server said 408, 429 or 5xx;
 *    never when the server could not be reached at all, so that a wrong name fails at once.
 * 2. Credentials travel to the host they were asked for, never along a redirect to another one or to plain HTTP.
 * 3. Whoever gets a response reads its body to the end or calls `discard`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { canceled } from '../contracts/errors.js';
import { collect } from '../util/chunks.js';
import { pauseBefore, retryAfter } from '../util/retry.js';
import { isNotTls, isRefused, requestFailed } from './errors.js';
import type { Endpoint } from './hosts.js';
import { loadTls } from './tls.js';

export type Body = string | Uint8Array | AsyncIterable<Uint8Array>;
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute, or a path on the endpoint. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called once per attempt, because a request may be repeated. */
  readonly body?: () => Body;
  readonly signal: AbortSignal;
}
export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Dispatcher.ResponseData['body'];
  /** After redirects. */
  readonly url: string;
  /** How often the request was made to get it. */
  readonly tries: number;
}

export interface RetryOptions {
  /** Waits before each further attempt, in milliseconds; each is taken a little longer or shorter. */
  readonly delays: readonly number[];
  readonly log?: ((line: string) => void) | undefined;
}

export interface TransportOptions {
  readonly userAgent: string;
  readonly connectionsPerHost: number;
  /** Milliseconds without a byte after which a server is given up. */
  readonly idleTimeout?: number;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to 1. */
  readonly random?: () => number;
}

const library = (): Promise<typeof import('./http-library.js')> => import('./http-library.js');
const maxRedirects = 10;
const usualIdleTimeout = 60_000;
/** After the last byte of an upload a registry may need that many times as long before it answers: it hashes the blob. */
const uploadPatience = 5;

export class Transport implements AsyncDisposable {
  readonly #options: TransportOptions;
  readonly #dispatchers = new Map<string, Promise<Dispatcher>>();
  /** Hosts that turned out to speak plain HTTP. */
  readonly #plainHosts = new Set<string>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  async send(endpoint: Endpoint, request: HttpRequest, retry: RetryOptions): Promise<HttpResponse> {
    for (let tries = 1; ; tries++) {
      const outcome = await this.#attempt(endpoint, request, tries);
      if (request.signal.aborted) throw canceled(request.signal.reason);
      const wait = this.pause(outcome, retry.delays[tries - 1]);
      if (wait === undefined) {
        if ('response' in outcome) return outcome.response;
        throw requestFailed(request.method, this.#url(endpoint, request.url), outcome.error, tries);
      }
      retry.log?.(`${reasonOf(outcome)}, retrying ${request.method} in ${wait} ms\n`);
      if ('response' in outcome) await discard(outcome.response);
      await this.sleep(wait, request.signal);
    }
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#options.sleep) return this.#options.sleep(ms, signal);
    await delay(ms, undefined, { signal, ref: true });
  }

  /** Milliseconds to wait before the next attempt, about as many as is usual; undefined when there should be none. */
  pause(outcome: Outcome, usual: number | undefined): number | undefined {
    const { random } = this.#options;
    if ('error' in outcome) return pauseBefore(outcome, usual, random);
    const { status, headers } = outcome.response;
    return pauseBefore({ status, retryAfter: retryAfter(headers['retry-after']) }, usual, random);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const dispatchers = await Promise.allSettled(this.#dispatchers.values());
    await Promise.all(
      dispatchers.map((each) => (each.status === 'fulfilled' ? each.value.destroy() : undefined)),
    );
  }

  async #attempt(endpoint: Endpoint, request: HttpRequest, tries: number): Promise<Outcome> {
    try {
      return { response: { ...(await this.#exchange(endpoint, request)), tries } };
    } catch (error) {
      if (request.signal.aborted) throw canceled(request.signal.reason);
      return { error };
    }
  }

  async #exchange(endpoint: Endpoint, request: HttpRequest): Promise<Answer> {
    const url = this.#url(endpoint, request.url);
    try {
      return await this.#follow(endpoint, request, url);
    } catch (error) {
      const mayFallBack = endpoint.httpFallback && url.startsWith('https:');
      const noTls = isNotTls(error) || (isRefused(error) && !/:\d+$/.test(endpoint.host));
      if (!mayFallBack || !noTls) throw error;
      this.#plainHosts.add(endpoint.host);
      return this.#follow(endpoint, request, this.#url(endpoint, request.url));
    }
  }

  async #follow(endpoint: Endpoint, request: HttpRequest, start: string): Promise<Answer> {
    const dispatcher = await this.#dispatcher(endpoint);
    const idle = this.#options.idleTimeout ?? usualIdleTimeout;
    const http = await library();
    let url = start;
    for (let hop = 0; ; hop++) {
      const { statusCode, headers, body } = await http.request(url, {
        dispatcher,
        method: request.method,
        headers: { 'user-agent': this.#options.userAgent, ...headersFor(url, start, request.headers) },
        ...(request.body ? { body: request.body() as Uint8Array } : {}),
        headersTimeout: request.body ? idle * uploadPatience : idle,
        bodyTimeout: idle,
        signal: request.signal,
      });
      const response: Answer = { status: statusCode, headers, body, url };
      const next = redirectOf(response, request.method);
      if (next === undefined || hop === maxRedirects) return response;
      await discard(response);
      url = next;
    }
  }

  #url(endpoint: Endpoint, path: string): string {
    if (/^https?:\/\//.test(path)) return path;
    const scheme = this.#plainHosts.has(endpoint.host) ? 'http' : endpoint.scheme;
    return `${scheme}://${endpoint.host}${path}`;
  }

  #dispatcher(endpoint: Endpoint): Promise<Dispatcher> {
    const key = JSON.stringify([endpoint.verifyTls, endpoint.tls]);
    let dispatcher = this.#dispatchers.get(key);
    if (!dispatcher) {
      dispatcher = this.#connect(endpoint);
      this.#dispatchers.set(key, dispatcher);
      // A certificate file that was missing may be there next time.
      dispatcher.catch(() => this.#dispatchers.delete(key));
    }
    return dispatcher;
  }

  async #connect(endpoint: Endpoint): Promise<Dispatcher> {
    const tls = { rejectUnauthorized: endpoint.verifyTls, ...(await loadTls(endpoint.tls)) };
    const options = {
      connections: this.#options.connectionsPerHost,
      connect: { timeout: 30_000, ...tls },
      keepAliveTimeout: 10_000,
    };
    const proxied = ['http_proxy', 'https_proxy'].some(
      (name) => process.env[name] ?? process.env[name.toUpperCase()],
    );
    const { Agent, EnvHttpProxyAgent } = await library();
    return proxied ? new EnvHttpProxyAgent({ ...options, requestTls: tls }) : new Agent(options);
  }
}

type Answer = Omit<HttpResponse, 'tries'>;
export type Outcome = { readonly response: HttpResponse } | { readonly error: unknown };

export const reasonOf = (outcome: Outcome): string =>
  'error' in outcome
    ? `error: ${(outcome.error as Error).message}`
    : `error: server answered ${outcome.response.status}`;

function redirectOf(response: Answer, method: string): string | undefined {
  const { location } = response.headers;
  if (typeof location !== 'string') return undefined;
  const anyMethod = response.status === 307 || response.status === 308;
  const readOnly =
    response.status >= 301 && response.status <= 303 && (method === 'GET' || method === 'HEAD');
  return anyMethod || readOnly ? new URL(location, response.url).href : undefined;
}

/** Rule 2. */
export function headersFor(
  url: string,
  start: string,
  headers: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [from, to] = [new URL(start), new URL(url)];
  if (to.host === from.host && (to.protocol === from.protocol || to.protocol === 'https:')) return headers;
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
  );
}

/** Frees the connection of a response nobody wants to read. */
export const discard = async (response: Pick<HttpResponse, 'body'>): Promise<void> => {
  await response.body.dump({ limit: 64 * 1024 }).catch(() => undefined); // broken or whole: it is gone either way
};

/** An error's body, for its message; nothing where it breaks off or is long, for the status says the most. */
export const errorText = async (response: HttpResponse): Promise<string> =>
  (await collect(response.body, 64 * 1024).catch(() => undefined))?.toString() ?? '';
