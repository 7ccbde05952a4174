import { invalid } from '../../../core/contracts/errors.js';
import { parseGoBool } from '../../../core/util/go-bool.js';
import { didYouMean } from '../../../core/util/nearest.js';

export type Attributes = Readonly<Record<string, string>>;

/** Refuses attributes that the source does not know: a typo must not quietly change what is built. */
export function refuseUnknown(source: string, attrs: Attributes, known: readonly string[]): void {
  const unknown = Object.keys(attrs).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw invalid(
    'source.unknown-attribute',
    `unknown attribute "${unknown}" of a ${source} source${didYouMean(unknown, known)}`,
  );
}

export const badAttribute = (name: string, value: string, expected: string): Error =>
  invalid('source.bad-attribute', `invalid value "${value}" for attribute ${name}: expected ${expected}`);

/** A JSON list of strings, as BuildKit's clients write list attributes; `null` counts as absent. */
export function stringList(attrs: Attributes, name: string): readonly string[] | undefined {
  const text = attrs[name];
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badAttribute(name, text, 'a JSON list of strings');
  }
  if (value === null) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw badAttribute(name, text, 'a JSON list of strings');
}

/** A boolean in any of Go's spellings. */
export function booleanAttribute(attrs: Attributes, name: string): boolean | undefined {
  const text = attrs[name];
  if (text === undefined) return undefined;
  const value = parseGoBool(text);
  if (value === undefined) throw badAttribute(name, text, 'true or false');
  return value;
}

/** A number above zero. */
export function positiveAttribute(attrs: Attributes, name: string): number | undefined {
  const text = attrs[name];
  if (text === undefined) return undefined;
  if (!/^\+?[1-9]\d{0,8}$/.test(text)) throw badAttribute(name, text, 'a number above zero');
  return Number(text);
}
