/** An answer of a store behind HTTP. */
import { BuildError, type GrpcCode } from '../../../core/contracts/errors.js';
import { collect } from '../../../core/util/chunks.js';
import { afterTries } from '../../../core/util/retry.js';

const codes: Readonly<Record<number, GrpcCode>> = {
  400: 'InvalidArgument',
  401: 'Unauthenticated',
  403: 'PermissionDenied',
  404: 'NotFound',
  409: 'AlreadyExists',
  412: 'FailedPrecondition',
  429: 'ResourceExhausted',
};

/** Enough of an answer to say what is wrong. */
const MAX_REASON = 500;

/** Whoever gets one reads it, or lets it go. */
export class Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly #what: string;
  readonly #response: Response;
  readonly #idle: IdleSignal;
  readonly #tries: number;

  constructor(what: string, response: Response, idle: IdleSignal, tries: number) {
    this.status = response.status;
    this.headers = response.headers;
    this.#what = what;
    this.#response = response;
    this.#idle = idle;
    this.#tries = tries;
  }

  get ok(): boolean {
    return this.#response.ok;
  }

  /** The body without what is before `offset`, where the store has sent that too. */
  async *from(offset: number): AsyncIterable<Uint8Array> {
    let surplus = this.status === 206 ? 0 : offset;
    for await (const chunk of this.body()) {
      const wanted = chunk.subarray(Math.min(surplus, chunk.length));
      surplus -= chunk.length - wanted.length;
      if (wanted.length > 0) yield wanted;
    }
  }

  async *body(): AsyncIterable<Uint8Array> {
    try {
      if (!this.#response.body) return;
      const reader = this.#response.body[Symbol.asyncIterator]();
      try {
        for (;;) {
          this.#idle.restart();
          const { done, value } = await this.#idle.guard(reader.next());
          if (done) return;
          // Whoever reads may take its time.
          this.#idle.stop();
          yield value;
        }
      } finally {
        await reader.return?.();
      }
    } finally {
      this.#idle.stop();
    }
  }

  async whole(): Promise<Uint8Array> {
    return collect(this.body());
  }

  async text(): Promise<string> {
    return Buffer.from(await this.whole()).toString();
  }

  async json<T>(): Promise<T> {
    const text = await this.text();
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      const message = `${this.#what}: unreadable answer: ${text.slice(0, 100)}`;
      throw new BuildError('cache.store', message, { cause });
    }
  }

  async discard(): Promise<void> {
    this.#idle.stop();
    await this.#response.body?.cancel();
  }

  async refusal(): Promise<BuildError> {
    const { status, statusText } = this.#response;
    const reason = reasonOf(await this.text().catch(() => ''));
    const message = `${this.#what}: ${status} ${statusText}${reason ? `: ${reason}` : ''}${afterTries(this.#tries)}`;
    const grpcCode = codes[status] ?? (status >= 500 ? 'Unavailable' : 'Unknown');
    return new BuildError('cache.store', message, { grpcCode });
  }
}

/** S3 and Azure say it in XML; others in words of their own. */
function reasonOf(text: string): string {
  const [, code] = /<Code>([^<]+)<\/Code>/.exec(text) ?? [];
  const [, message = ''] = /<Message>([^<\n]*)/.exec(text) ?? [];
  return code === undefined ? text.slice(0, MAX_REASON).trim() : `${code}: ${message}`;
}

/** Aborts when nothing has happened for a while. */
export class IdleSignal {
  readonly #controller = new AbortController();
  readonly #error: Error;
  #ms: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, url: string) {
    this.#ms = ms;
    this.#error = Object.assign(new Error(`no byte came from ${new URL(url).host} for ${ms} ms`), {
      code: 'ETIMEDOUT',
    });
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(ms = this.#ms): void {
    this.#ms = ms;
    this.stop();
    this.#timer = setTimeout(() => this.#controller.abort(this.#error), ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Of what the signal aborts; its time is over when that is. */
  async guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.stop();
      throw this.signal.aborted ? this.#error : error;
    }
  }
}
