/** Times in Go's RFC3339Nano: fractions without trailing zeros, UTC as `Z`. */

const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** The same instant as Go would print what it read; undefined when Go would not read it. */
export function canonicalTime(text: string): string | undefined {
  const match = pattern.exec(text);
  if (!match || Number.isNaN(Date.parse(text))) return undefined;
  const [, seconds, digits = '', zone] = match as unknown as [string, string, string | undefined, string];
  const fraction = digits.replace(/0+$/, '');
  const offset = zone === '+00:00' || zone === '-00:00' ? 'Z' : zone;
  return `${seconds}${fraction ? `.${fraction}` : ''}${offset}`;
}

/** Milliseconds since the epoch, to text. */
export const timeFromMs = (ms: number): string => canonicalTime(new Date(ms).toISOString())!;

/** True when `text` names an instant later than `seconds` since the epoch. */
export function isAfter(text: string, seconds: number): boolean {
  const ms = Date.parse(text);
  if (ms !== seconds * 1000) return ms > seconds * 1000;
  return /\.\d*[1-9]/.test(text);
}
