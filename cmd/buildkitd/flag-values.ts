/** What the text of a flag means. */
import { Option } from 'commander';
import { invalid } from '../../core/contracts/index.js';

export const list = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** Workers are switched on by `true`, off by `false`; `auto` takes them if they work. A bare flag means `true`. */
export const toggle = (flag: string): Option =>
  new Option(`${flag} [auto|true|false]`, 'use this worker')
    .preset('true')
    .choices(['auto', 'true', 'false']);

export const toggled = (value: string): boolean | 'auto' => (value === 'auto' ? 'auto' : value === 'true');

/** A bare flag means `true`. */
export const truth = (flag: string, description: string): Option =>
  new Option(`${flag} [true|false]`, description).preset('true').choices(['true', 'false']);

export const truthOf = (value: string | undefined): boolean | undefined =>
  value === undefined ? undefined : value === 'true';

export const defined = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

export function integer(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) throw invalid('buildkitd.flag', `--${flag} ${value}: expected a number`);
  return Number(value);
}

/** `key=value`, each. */
export function labels(
  flag: string,
  pairs: readonly string[] | undefined,
): Record<string, string> | undefined {
  if (pairs === undefined) return undefined;
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw invalid('buildkitd.flag', `--${flag} ${pair}: expected key=value`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}
