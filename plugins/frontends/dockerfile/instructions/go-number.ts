/** Numbers, sizes and durations as Go's standard library and Docker's go-units read and print them. */
import { goQuote } from '../../../../core/util/go-quote.js';
import { syntaxError } from '../located.js';

const nanoseconds: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);

/** `1h30m`, `1.5s`, in nanoseconds. */
export function parseDuration(text: string): number {
  if (text === '0' || text === '+0' || text === '-0') return 0;
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  const parts = [...rest.matchAll(/(\d+\.?\d*|\.\d+)([^\d.]+)/gy)];
  const length = parts.reduce((sum, [part]) => sum + part.length, 0);
  if (rest === '' || length !== rest.length) throw invalidDuration(text);
  const total = parts.reduce((sum, [, number, unit]) => {
    const scale = nanoseconds.get(unit!);
    if (scale === undefined)
      throw syntaxError(`time: unknown unit ${goQuote(unit!)} in duration ${goQuote(text)}`);
    return sum + Math.trunc(Number(number) * scale);
  }, 0);
  return sign === '-' ? -total : total;
}

const invalidDuration = (text: string): Error => {
  const bare = /^[+-]?[\d.]+$/.test(text);
  return syntaxError(`time: ${bare ? 'missing unit in' : 'invalid'} duration ${goQuote(text)}`);
};

/** Prints nanoseconds as `1h0m0s`, `1.5s`, `100ms`. */
export function formatDuration(duration: number): string {
  if (duration === 0) return '0s';
  const sign = duration < 0 ? '-' : '';
  const rest = Math.abs(duration);
  if (rest < 1e3) return `${sign}${rest}ns`;
  if (rest < 1e6) return `${sign}${rest / 1e3}µs`;
  if (rest < 1e9) return `${sign}${rest / 1e6}ms`;
  const hours = Math.floor(rest / 3600e9);
  const minutes = Math.floor((rest % 3600e9) / 60e9);
  const seconds = `${(rest % 60e9) / 1e9}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/** `64m`, `1.5GiB`, `10 kb`, in bytes; units are powers of 1024. */
export function parseSize(text: string): number | undefined {
  const [, number, suffix = ''] = /^(\d+\.?\d*|\.\d+) ?([a-zA-Z]*)$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const unit = /^(?:b|([kmgtp])(?:i?b)?)?$/.exec(suffix.toLowerCase());
  if (!unit) return undefined;
  return Math.trunc(Number(number) * 1024 ** ('kmgtp'.indexOf(unit[1] ?? '') + (unit[1] ? 1 : 0)));
}

/** An unsigned number of at most 32 bits in the given base. */
export function parseUint32(text: string, base: 8 | 10): number | undefined {
  if (!(base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text)) return undefined;
  const value = Number.parseInt(text, base);
  return value <= 0xffffffff ? value : undefined;
}
