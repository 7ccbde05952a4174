/** When a request is made again, and after how long. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Answers that may be others a moment later. */
export const passes = (status: number): boolean =>
  status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);

const transient = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
]);

/** The connection broke, as opposed to never having been possible. */
export function isTransient(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { readonly code?: string; readonly cause?: unknown };
  return transient.has(code ?? '') || (cause instanceof Error && isTransient(cause));
}

/** A pause around `ms`, so that those who were turned away together do not come back together. */
export const aboutAs = (ms: number, random: () => number = Math.random): number =>
  Math.round(ms * (0.75 + random() / 2));

/** `Retry-After`: seconds or an HTTP date (RFC 9110 §10.2.3), as milliseconds from now. */
export function retryAfter(header: string | readonly string[] | null | undefined): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Milliseconds; a server that asks for a longer pause is not waited for. */
const maxPause = 60_000;

/** Milliseconds until the next try, about as many as is `usual`; undefined when there should be none. */
export function pauseBefore(
  outcome: { readonly error: unknown } | { readonly status: number; readonly retryAfter: number | undefined },
  usual: number | undefined,
  random?: () => number,
): number | undefined {
  if (usual === undefined) return undefined;
  if ('error' in outcome) return isTransient(outcome.error) ? aboutAs(usual, random) : undefined;
  if (!passes(outcome.status)) return undefined;
  if (outcome.retryAfter === undefined) return aboutAs(usual, random);
  return outcome.retryAfter <= maxPause ? outcome.retryAfter : undefined;
}

/** For messages: nothing is worth saying of a first attempt. */
export const afterTries = (tries: number): string => (tries > 1 ? ` (after ${tries} tries)` : '');

/** Waits before each further try, in milliseconds. */
export const usualDelays: readonly number[] = [250, 1000, 2000, 4000];

export interface Persisted {
  readonly status: number;
  readonly retryAfter: number | undefined;
}

/**
 * Asks until an answer is not of those that pass, or patience is at its end: the last answer, or error, is what counts.
 * Answers before it are let go.
 */
export async function persist<T extends Persisted>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  delays: readonly number[] = usualDelays,
  letGo: (answer: T) => Promise<void> | void = () => {},
): Promise<T & { readonly tries: number }> {
  for (let tries = 1; ; tries++) {
    const outcome = await ask().catch((error: unknown) => ({ error }));
    signal.throwIfAborted();
    const pause = pauseBefore(outcome, delays[tries - 1]);
    if (pause === undefined) {
      if ('error' in outcome) throw outcome.error;
      return { ...outcome, tries };
    }
    if (!('error' in outcome)) await letGo(outcome);
    await sleep(pause, undefined, { signal });
  }
}
