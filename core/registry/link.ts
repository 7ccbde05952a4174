import { BuildError, canceled } from '../contracts/errors.js';
import type { SessionGroup } from '../contracts/session.js';
import type { Digest } from '../util/digest.js';
import { type Authorizer, serverMessage } from './authorizer.js';
import { parseChallenges } from './challenge.js';
import { accessDenied, digestMismatchCode, requestFailed, unexpectedStatus } from './errors.js';
import type { Endpoint } from './hosts.js';
import type { Lanes } from './lanes.js';
import {
  discard,
  errorText,
  type HttpRequest,
  type HttpResponse,
  type RetryOptions,
  reasonOf,
  type Transport,
} from './transport.js';

/** What a repository's operations work with. */
export interface Link {
  /** Mirrors first, the registry itself last. */
  readonly endpoints: readonly Endpoint[];
  readonly path: string;
  readonly actions: 'pull' | 'push';
  readonly group: SessionGroup;
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  readonly lanes: Lanes;
  readonly retry: RetryOptions;
  readonly traffic: Traffic;
  /** Mirrors that sent wrong bytes for a blob, by its digest. */
  readonly distrusted: Map<Digest, Set<Endpoint>>;
}

/** Bytes of blobs that went over the network, of the whole client. */
export interface Traffic {
  pulled: number;
  pushed: number;
}

export interface LinkRequest extends Omit<HttpRequest, 'url'> {
  /** Below the repository (`manifests/latest`), or absolute. */
  readonly url: string;
  readonly extraScopes?: readonly string[];
  /** Only who sent it knows how to send it again. */
  readonly once?: boolean;
}

/**
 * Sends one request with the right header, obtaining or renewing rights when the registry asks for them: once, or a few
 * times where it says of a token that it is not valid any more.
 */
export async function send(link: Link, endpoint: Endpoint, request: LinkRequest): Promise<HttpResponse> {
  const asker = { group: link.group, extraScopes: request.extraScopes ?? [] };
  const url = resolveUrl(link, endpoint, request.url);
  const retry = request.once ? { ...link.retry, delays: [] } : retryAt(link, endpoint);
  // An upload may be sent to a storage host: rights on the registry are none of its business.
  if (!isAt(url, endpoint)) return link.transport.send(endpoint, { ...request, url }, retry);
  const authorized = async (header: string | undefined): Promise<HttpResponse> =>
    link.transport.send(
      endpoint,
      {
        ...request,
        url,
        headers: { ...request.headers, ...(header === undefined ? {} : { authorization: header }) },
      },
      retry,
    );
  let used = await link.authorizer.header(endpoint, asker, request.signal);
  for (let refusals = 0; ; refusals++) {
    const response = await authorized(used);
    if (!isChallenge(response, endpoint)) return response;
    await discard(response);
    const challenges = parseChallenges(response.headers['www-authenticate']);
    const [refusal] = challenges;
    const mayPass =
      refusals === 0 || (refusals < tokensPerRequest && refusal?.params.error === 'invalid_token');
    if (!mayPass) {
      throw accessDenied(link.actions, refusal ? serverMessage(refusal) : 'authorization failed');
    }
    used = await link.authorizer.answer(endpoint, challenges, used, asker, request.signal);
  }
}

/** One that others share may be at its end again before it is used. */
const tokensPerRequest = 3;

/**
 * Asks the endpoints in turn until one gives an answer that `accept` takes; those that are `avoided` are not asked. When
 * none does, the registry's own failure counts, with the mirrors' added. What breaks while `accept` reads is tried again.
 */
export async function firstAnswer<T>(
  link: Link,
  request: LinkRequest,
  accept: (response: HttpResponse, endpoint: Endpoint) => Promise<T>,
  avoided: ReadonlySet<Endpoint> = new Set(),
): Promise<T> {
  const failures: string[] = [];
  for (const endpoint of link.endpoints.filter((each) => !avoided.has(each))) {
    try {
      return await answerOf(link, endpoint, request, accept);
    } catch (error) {
      if (request.signal.aborted) throw canceled(request.signal.reason);
      if (endpoint === link.endpoints.at(-1)) throw withMirrors(error, failures);
      failures.push(`${endpoint.host}: ${(error as Error).message}`);
      link.retry.log?.(`mirror ${endpoint.host}: ${(error as Error).message}, trying the next host\n`);
    }
  }
  throw new Error('a repository without endpoints');
}

async function answerOf<T>(
  link: Link,
  endpoint: Endpoint,
  request: LinkRequest,
  accept: (response: HttpResponse, endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  const { delays } = retryAt(link, endpoint);
  for (let tries = 1; ; tries++) {
    const response = await send(link, endpoint, request);
    try {
      return await accept(response, endpoint);
    } catch (error) {
      if (request.signal.aborted) throw canceled(request.signal.reason);
      // Wrong bytes may be a proxy's that is mended by asking again, but hardly by asking for long.
      const isMismatch = error instanceof BuildError && error.code === digestMismatchCode;
      const wait = isMismatch && tries === 1 ? delays[0] : link.transport.pause({ error }, delays[tries - 1]);
      if (wait === undefined) throw requestFailed(request.method, response.url, error, tries);
      link.retry.log?.(`${reasonOf({ error })}, retrying ${request.method} in ${wait} ms\n`);
      await link.transport.sleep(wait, request.signal);
    }
  }
}

export const statusError = async (method: string, response: HttpResponse): Promise<BuildError> =>
  unexpectedStatus(method, response, await errorText(response));

function withMirrors(error: unknown, failures: readonly string[]): unknown {
  if (failures.length === 0 || !(error instanceof Error)) return error;
  error.message += ` (mirrors: ${failures.join('; ')})`;
  return error;
}

function resolveUrl(link: Link, endpoint: Endpoint, url: string): string {
  if (/^https?:\/\//.test(url)) return url;
  const path = `${endpoint.root}/${link.path}/${url}`;
  if (endpoint.mirrorOf === undefined) return path;
  return `${path}${path.includes('?') ? '&' : '?'}ns=${encodeURIComponent(endpoint.mirrorOf)}`;
}

/** A mirror gets no second chance: the next host is the better one. */
const retryAt = (link: Link, endpoint: Endpoint): RetryOptions =>
  endpoint === link.endpoints.at(-1) ? link.retry : { ...link.retry, delays: [] };

const isChallenge = (response: HttpResponse, endpoint: Endpoint): boolean =>
  response.status === 401 && isAt(response.url, endpoint);

/** Absolute URLs may lead elsewhere; a host without port may be written with the scheme's own. */
const isAt = (url: string, { host, scheme }: Endpoint): boolean =>
  url.startsWith('/') || new URL(url).host === new URL(`${scheme}://${host}`).host;
