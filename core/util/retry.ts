/** When a request is made again, and after how long. */

/** Answers that may be others a moment later. */
export const passes = (status: number): boolean =>
  status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);

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

/** For messages: nothing is worth saying of a first attempt. */
export const afterTries = (tries: number): string => (tries > 1 ? ` (after ${tries} tries)` : '');
