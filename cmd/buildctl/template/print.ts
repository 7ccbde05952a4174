/** Values as Go's fmt prints them: lists as `[a b]`, maps as `map[k:v]` in the order of their keys. */
import { compareBytes } from '../../../core/util/compare.js';
import { templateError } from './errors.js';

export function shown(value: unknown): string {
  if (value === null) return '<nil>';
  if (value === undefined) return '';
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => compareBytes(a, b));
  return `map[${entries.map(([key, member]) => `${key}:${shown(member)}`).join(' ')}]`;
}

/** Spaces go only between values of which neither is a text. */
export const print = (args: readonly unknown[]): string =>
  args
    .map((arg, index) => {
      const apart = index > 0 && typeof arg !== 'string' && typeof args[index - 1] !== 'string';
      return `${apart ? ' ' : ''}${shown(arg)}`;
    })
    .join('');

const VERB = /%([-0]*)(\d+)?(?:\.(\d+))?(.)/gs;

export function printf(format: string, args: readonly unknown[]): string {
  let used = 0;
  const text = format.replace(VERB, (whole, flags: string, width = '0', precision, verb: string) => {
    if (verb === '%') return '%';
    if (used >= args.length) throw templateError(`printf has no argument for ${whole}`);
    const body = verbText(whole, verb, args[used++], precision === undefined ? undefined : Number(precision));
    return padded(body, Number(width), flags, verb);
  });
  if (used < args.length) throw templateError(`printf has no verb for ${shown(args[used])}`);
  return text;
}

function verbText(whole: string, verb: string, value: unknown, precision: number | undefined): string {
  switch (verb) {
    case 's':
    case 'v':
      return shown(value).slice(0, precision);
    case 'q':
      return JSON.stringify(shown(value));
    case 't':
      return String(Boolean(value));
    case 'd':
      return String(Math.trunc(numberOf(whole, value)));
    case 'f':
      return numberOf(whole, value).toFixed(precision ?? 6);
    case 'x':
    case 'X': {
      const hex = typeof value === 'number' ? value.toString(16) : Buffer.from(shown(value)).toString('hex');
      return verb === 'x' ? hex : hex.toUpperCase();
    }
    default:
      throw templateError(`printf does not know ${whole}`);
  }
}

function numberOf(whole: string, value: unknown): number {
  if (typeof value === 'number') return value;
  throw templateError(`printf ${whole} of ${JSON.stringify(value)}, which is no number`);
}

function padded(text: string, width: number, flags: string, verb: string): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0') || verb === 's') return text.padStart(width);
  const [, sign = '', digits = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  return sign + digits.padStart(width - sign.length, '0');
}
