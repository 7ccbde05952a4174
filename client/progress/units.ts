/** Sizes and times as progress displays write them. */

const prefixes = ['', 'k', 'M', 'G', 'T', 'P'];

/** `97B`, `2.03kB`, `43.00MB`: powers of 1000, two decimals from kB on. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let prefix = 0;
  while (Math.abs(value) >= 1000 && prefix < prefixes.length - 1) {
    value /= 1000;
    prefix++;
  }
  return prefix === 0 ? `${Math.round(value)}B` : `${value.toFixed(2)}${prefixes[prefix]}B`;
}

/** `current / total`, only `current` while the total is unknown, nothing for nothing. */
export function formatTransfer(current: number, total: number): string {
  if (total > 0) return `${formatBytes(current)} / ${formatBytes(total)}`;
  return current > 0 ? formatBytes(current) : '';
}

/** `1.2s`, from milliseconds. */
export const formatSeconds = (ms: number): string => `${(Math.max(ms, 0) / 1000).toFixed(1)}s`;

/** The time before a log line: three decimals below 10 s, two below 100 s, one above. */
export function formatLogTime(ms: number): string {
  const seconds = Math.max(ms, 0) / 1000;
  return seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1);
}
