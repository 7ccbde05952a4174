/**
 * `http://` and `https://`: one file as a tree. What a URL holds is known only once it was downloaded, so the cache key
 * brings the file; when the server gives entity tags, the next build only asks whether its file is still the same.
 * BuildKit: source/http/source.go.
 */
import { BuildError, isCanceled } from '../../../core/contracts/errors.js';
import type { ImmutableRef } from '../../../core/contracts/refs.js';
import type { Sessions } from '../../../core/contracts/session.js';
import type {
  OpenSource,
  ResolveContext,
  Source,
  SourceContext,
  SourceMeta,
  SourceRequest,
} from '../../../core/contracts/source.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { KeyLock } from '../../../core/util/key-lock.js';
import { askedOnce } from '../shared/asked-once.js';
import { RecentAnswers } from '../shared/recent-answers.js';
import { type HttpRequest, parseHttpRequest } from './attributes.js';
import { type Download, findDownloads, saveDownload } from './downloads.js';
import { badStatus, digestMismatch } from './errors.js';
import { dispositionName, etagValue, urlName } from './header-values.js';
import type { HttpAnswer, SendHttp } from './http-client.js';
import { downloadIndex, type Facts, httpKey } from './keys.js';
import { requestHeaders } from './request-headers.js';
import { isSessionUrl, readUpload } from './session-upload.js';

export interface HttpSourceOptions {
  readonly sessions: Sessions;
  readonly threads: Threads;
  readonly send: SendHttp;
}

/** Ready once the file is here; its ref may have been pruned again. */
type Resolved = Facts & { readonly id: string | undefined };

export class HttpSource implements Source {
  readonly #options: HttpSourceOptions;
  readonly #answers = new RecentAnswers<Download>();
  readonly #turns = new KeyLock<void>();

  constructor(options: HttpSourceOptions) {
    this.#options = options;
  }

  open(source: SourceRequest): OpenSource {
    const request = parseHttpRequest(source);
    return askedOnce({
      ask: (context, signal) => this.#resolve(request, context, signal),
      key: (facts) => ({
        key: httpKey(request, facts),
        origin: { kind: 'http', url: request.url, digest: facts.digest },
      }),
      fetch: (facts, context, signal) => this.#fetch(request, facts, context, signal),
    });
  }

  async resolve(source: SourceRequest, context: ResolveContext, signal: AbortSignal): Promise<SourceMeta> {
    const request = parseHttpRequest(source);
    return context.steps.step(context.logName, async (progress) => {
      const inner = { worker: context.worker, sessions: context.sessions, progress };
      const { digest, filename, lastModified } = await this.#resolve(request, inner, signal);
      return { identifier: request.url, http: { digest, filename, lastModified } };
    });
  }

  /** A checksum says it all, without asking anybody. */
  async #resolve(request: HttpRequest, context: SourceContext, signal: AbortSignal): Promise<Resolved> {
    const { checksum } = request;
    if (checksum) {
      return { digest: checksum, filename: nameOf(request), lastModified: undefined, id: undefined };
    }
    const question = { key: downloadIndex(request), sessions: context.sessions };
    return this.#answers.get(question, signal, (shared) =>
      this.#alone(request, context, () => this.#revalidate(request, context, shared), shared),
    );
  }

  async #fetch(
    request: HttpRequest,
    { id, digest }: Resolved,
    context: SourceContext,
    signal: AbortSignal,
  ): Promise<ImmutableRef> {
    const { refs } = context.worker;
    if (id !== undefined && refs.has(id)) return refs.get(id);
    return this.#alone(
      request,
      context,
      async () => {
        const downloads = await findDownloads(context.worker, request);
        const same = downloads.find((one) => one.digest === digest && one.filename === nameOf(request));
        if (same) return refs.get(same.id);
        const answer = await this.#get(request, {}, context, signal);
        return this.#keep(answer, request, context, signal, digest);
      },
      signal,
    );
  }

  /** Builds that want the same file at the same time bring it once. */
  #alone<T>(
    request: HttpRequest,
    { worker }: SourceContext,
    work: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#turns.run(`${worker.profile.id} ${downloadIndex(request)}`, work, signal);
  }

  /** Some servers mishandle conditional requests, so tags are compared here as well, with a HEAD first. */
  async #revalidate(request: HttpRequest, context: SourceContext, signal: AbortSignal): Promise<Download> {
    const known = (await findDownloads(context.worker, request)).filter(({ etag }) => etag !== '');
    if (known.length === 0)
      return this.#download(await this.#get(request, {}, context, signal), request, context, signal);
    const etags = [...new Set(known.map(({ etag }) => etag))];
    const condition = { 'if-none-match': etags.join(', ') };
    const head = await this.#head(request, condition, context, signal);
    const unchanged = head && sameDownload(known, head, request);
    if (unchanged) return unchanged;
    const answer = await this.#get(request, condition, context, signal);
    if (answer.status !== 304) return this.#download(answer, request, context, signal);
    await answer.discard();
    const same = sameDownload(known, answer, request);
    if (same) return same;
    // It is unchanged, but not what is here under that name.
    return this.#download(await this.#get(request, {}, context, signal), request, context, signal);
  }

  async #download(
    answer: HttpAnswer,
    request: HttpRequest,
    context: SourceContext,
    signal: AbortSignal,
  ): Promise<Download> {
    const { ref, download } = await this.#save(answer, request, context, signal);
    await ref[Symbol.asyncDispose]();
    return download;
  }

  async #keep(
    answer: HttpAnswer,
    request: HttpRequest,
    context: SourceContext,
    signal: AbortSignal,
    expected: Facts['digest'],
  ): Promise<ImmutableRef> {
    const { ref, download } = await this.#save(answer, request, context, signal);
    if (download.digest === expected) return ref;
    await ref[Symbol.asyncDispose]();
    await context.worker.refs.removeUnused([download.id]);
    throw digestMismatch(request.url, download.digest, expected);
  }

  #save(
    answer: HttpAnswer,
    request: HttpRequest,
    { worker, progress }: SourceContext,
    signal: AbortSignal,
  ): Promise<{ readonly ref: ImmutableRef; readonly download: Download }> {
    const { threads } = this.#options;
    return saveDownload(
      answer,
      { request, filename: nameOf(request, answer), worker, threads, progress },
      signal,
    );
  }

  /** A server that cannot answer it is asked with GET. */
  async #head(
    request: HttpRequest,
    condition: Readonly<Record<string, string>>,
    context: SourceContext,
    signal: AbortSignal,
  ): Promise<HttpAnswer | undefined> {
    const headers = await this.#headers(request, context, signal);
    try {
      const { url } = request;
      const answer = await this.#options.send(
        { method: 'HEAD', url, headers: { ...headers, ...condition } },
        signal,
      );
      await answer.discard();
      return answer.status === 200 || answer.status === 304 ? answer : undefined;
    } catch (error) {
      if (isCanceled(error) || !(error instanceof BuildError)) throw error;
      return undefined;
    }
  }

  async #get(
    request: HttpRequest,
    condition: Readonly<Record<string, string>>,
    context: SourceContext,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { url } = request;
    if (isSessionUrl(url)) return readUpload(url, this.#options.sessions, context.sessions, signal);
    const headers = await this.#headers(request, context, signal);
    const answer = await this.#options.send(
      { method: 'GET', url, headers: { ...headers, ...condition } },
      signal,
    );
    const expected = answer.status === 304 && 'if-none-match' in condition;
    if (expected || (answer.status >= 200 && answer.status < 300)) return answer;
    await answer.discard();
    throw badStatus(url, answer.status);
  }

  #headers(
    request: HttpRequest,
    { sessions }: SourceContext,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>>> {
    return requestHeaders(request, this.#options.sessions, sessions, signal);
  }
}

/** Some servers leave the tag out when they were asked about one only. BuildKit issue 905. */
function sameDownload(
  known: readonly Download[],
  answer: HttpAnswer,
  request: HttpRequest,
): Download | undefined {
  const tag = etagValue(answer.header('etag') ?? '');
  const etag = tag === '' && answer.status === 304 && known.length === 1 ? known[0]!.etag : tag;
  const filename = nameOf(request, answer);
  return known.find((one) => one.etag === etag && one.filename === filename);
}

const nameOf = ({ filename, url }: HttpRequest, answer?: HttpAnswer): string =>
  filename || (dispositionName(answer?.header('content-disposition')) ?? urlName(url) ?? 'download');
