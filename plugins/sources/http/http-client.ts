/**
 * GET and HEAD for the http source, as Go's client does them.
 *
 * 1. At most ten requests in a row. Authorization goes along to the same host and to hosts below it only.
 * 2. gzip is asked for as an encoding of the transfer and undone again, so that the bytes that are kept are those of
 *    the resource; what is a gzip file in itself stays one.
 * 3. Whoever gets a response reads its body or calls `discard`.
 */
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { BuildError, canceled, isCanceled } from '../../../core/contracts/errors.js';
import { requestFailed, shownUrl } from './errors.js';

export interface HttpCall {
  readonly method: 'GET' | 'HEAD';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /** Bytes of the resource, as far as the server says; undefined when it does not. */
  readonly size: number | undefined;
  body(): AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

export type SendHttp = (call: HttpCall, signal: AbortSignal) => Promise<HttpAnswer>;

const library = (): Promise<typeof import('./http-library.js')> => import('./http-library.js');
/** Requests in all. */
const MAX_HOPS = 10;

export class HttpClient implements AsyncDisposable {
  #dispatcher: Promise<Dispatcher> | undefined;

  async send(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      return await this.#follow(call, signal);
    } catch (error) {
      if (signal.aborted) throw canceled(signal.reason);
      if (error instanceof BuildError || isCanceled(error)) throw error;
      throw requestFailed(call, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#dispatcher)?.destroy();
  }

  async #follow(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    let url = call.url;
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      const { request } = await library();
      this.#dispatcher ??= newDispatcher();
      const response = await request(url, {
        dispatcher: await this.#dispatcher,
        method: call.method,
        headers: { 'accept-encoding': 'gzip', ...headersFor(call, url) },
        signal,
      });
      const answer = answerOf(response, call, signal);
      if (!isRedirect(response.statusCode)) return answer;
      await answer.discard();
      url = nextUrl(url, answer);
    }
    throw new BuildError(
      'http.redirects',
      `${call.method} ${shownUrl(call.url)}: stopped after 10 redirects`,
      {
        grpcCode: 'FailedPrecondition',
      },
    );
  }
}

async function newDispatcher(): Promise<Dispatcher> {
  const options = { connect: { timeout: 30_000 }, headersTimeout: 120_000, bodyTimeout: 120_000 };
  const names = ['http_proxy', 'https_proxy'];
  const proxied = names.some((name) => process.env[name] ?? process.env[name.toUpperCase()]);
  const { Agent, EnvHttpProxyAgent } = await library();
  return proxied ? new EnvHttpProxyAgent(options) : new Agent(options);
}

function answerOf(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  call: HttpCall,
  signal: AbortSignal,
): HttpAnswer {
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const zipped = header('content-encoding')?.toLowerCase() === 'gzip';
  const length = header('content-length');
  return {
    status: statusCode,
    header,
    size: zipped || length === undefined ? undefined : Number(length),
    body: () => readBody(body, zipped, call, signal),
    discard: async () => {
      // Broken or whole, it is gone either way.
      await body.dump({ limit: 64 * 1024 }).catch(() => undefined);
    },
  };
}

async function* readBody(
  body: Readable,
  zipped: boolean,
  call: HttpCall,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const stream = zipped ? body.pipe(createGunzip()) : body;
  if (zipped) body.once('error', (error) => stream.destroy(error));
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (error) {
    if (signal.aborted) throw canceled(signal.reason);
    throw requestFailed(call, error);
  } finally {
    body.destroy();
  }
}

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

function nextUrl(url: string, answer: HttpAnswer): string {
  const location = answer.header('location');
  if (location && URL.canParse(location, url)) {
    const next = new URL(location, url);
    if (next.protocol === 'http:' || next.protocol === 'https:') return next.href;
  }
  throw new BuildError(
    'http.redirects',
    `${shownUrl(url)} answers ${answer.status} without a place to go to (Location: ${location ?? 'none'})`,
    { grpcCode: 'FailedPrecondition' },
  );
}

/** Rule 1. BuildKit uses Go's client: net/http shouldCopyHeaderOnRedirect. */
function headersFor({ url: start, headers }: HttpCall, url: string): Readonly<Record<string, string>> {
  const [from, to] = [new URL(start).hostname, new URL(url).hostname];
  if (to === from || to.endsWith(`.${from}`)) return headers;
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
  );
}
