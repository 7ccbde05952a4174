/**
 * What stores behind HTTP have in common. Requests are made again after troubles that pass, and given up when no byte comes
 * for a while; a read that broke goes on where it stopped.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ByteRange } from '../../../core/contracts/content.js';
import { BuildError, canceled, isCanceled } from '../../../core/contracts/errors.js';
import {
  afterTries,
  isTransient,
  pauseBefore,
  persist,
  retryAfter,
  usualDelays,
} from '../../../core/util/retry.js';
import { Answer, IdleSignal } from './answer.js';

export interface StorePatience {
  /** Waits before each further try, in milliseconds. */
  readonly delays?: readonly number[];
  /** Milliseconds without a byte after which a request has failed. */
  readonly idle?: number;
}

const IDLE = 60_000;
/** A store may need so many times as long for an answer to what it was sent. */
const UPLOAD_PATIENCE = 5;

/** The requests of one store. */
export class StoreHttp {
  readonly #name: string;
  readonly #delays: readonly number[];
  readonly #idle: number;

  /** `name` is for errors: `s3`. */
  constructor(name: string, { delays = usualDelays, idle = IDLE }: StorePatience = {}) {
    this.#name = name;
    this.#delays = delays;
    this.#idle = idle;
  }

  /** `make` signs a request anew for each try. Any answer is one; `what` says of what, for errors. */
  async ask(what: string, make: () => Request | Promise<Request>, signal: AbortSignal): Promise<Answer> {
    const once = async () => {
      const request = await make();
      const idle = new IdleSignal(request.body ? this.#idle * UPLOAD_PATIENCE : this.#idle, request.url);
      const response = await idle.guard(fetch(request, { signal: AbortSignal.any([signal, idle.signal]) }));
      idle.restart(this.#idle);
      const { status } = response;
      return { status, retryAfter: retryAfter(response.headers.get('retry-after')), response, idle };
    };
    try {
      const { response, idle, tries } = await persist(once, signal, this.#delays, ({ response, idle }) => {
        idle.stop();
        return response.body?.cancel();
      });
      return new Answer(`${this.#name}: ${what}`, response, idle, tries);
    } catch (error) {
      throw this.#failed(what, error, signal);
    }
  }

  /** Bytes from `open`, which answers a part of something that does not change. */
  async *read(
    what: string,
    { offset = 0, length }: ByteRange,
    open: (range: ByteRange) => Promise<Answer>,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    let at = offset;
    for (let failures = 0; ; ) {
      if (length !== undefined && at === offset + length) return;
      const answer = await open({
        offset: at,
        ...(length === undefined ? {} : { length: offset + length - at }),
      });
      if (!answer.ok) throw await answer.refusal();
      try {
        for await (const chunk of answer.from(at)) {
          at += chunk.length;
          failures = 0;
          yield chunk;
        }
        return;
      } catch (error) {
        const pause = pauseBefore({ error }, this.#delays[failures++]);
        if (signal.aborted || pause === undefined) throw this.#failed(what, error, signal, failures);
        await sleep(pause, undefined, { signal });
      }
    }
  }

  #failed(what: string, error: unknown, signal: AbortSignal, tries?: number): unknown {
    if (signal.aborted) return canceled(signal.reason);
    if (error instanceof BuildError || isCanceled(error)) return error;
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
    const count = tries ?? (isTransient(error) ? this.#delays.length + 1 : 1);
    return new BuildError('cache.store', `${this.#name}: ${what}: ${reason}${afterTries(count)}`, {
      grpcCode: 'Unavailable',
      cause: error,
    });
  }
}

/** The value of a Range header; undefined for all. */
export function rangeHeader({ offset = 0, length }: ByteRange): string | undefined {
  if (length !== undefined) return `bytes=${offset}-${offset + length - 1}`;
  return offset > 0 ? `bytes=${offset}-` : undefined;
}
