/** Functions of Go's text/template, and `json`. Those that escape for other languages are refused by name. */
import { didYouMean } from '../../../core/util/nearest.js';
import { notInTemplates, templateError } from './errors.js';
import { print, printf, shown } from './print.js';

export type TemplateFunction = (args: readonly unknown[]) => unknown;

export const isTrue = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
};

const functions: Readonly<Record<string, TemplateFunction>> = {
  json: ([value]) => JSON.stringify(value ?? null),
  not: ([value]) => !isTrue(value),
  len: ([value]) => lengthOf(value),
  index: ([value, ...keys]) => keys.reduce(memberOf, value),
  slice: ([value, from = 0, to]) => sliceOf(value, from, to),
  print: (args) => print(args),
  println: (args) => `${args.map(shown).join(' ')}\n`,
  printf: ([format, ...args]) => printf(String(format), args),
  eq: ([value, ...others]) => others.some((other) => value === other),
  ne: ([a, b]) => a !== b,
  lt: ([a, b]) => compare(a, b) < 0,
  le: ([a, b]) => compare(a, b) <= 0,
  gt: ([a, b]) => compare(a, b) > 0,
  ge: ([a, b]) => compare(a, b) >= 0,
};

/** Evaluated only as far as they need to be, so not here. */
export const lazyFunctions = ['and', 'or'] as const;
const refused = ['html', 'js', 'urlquery', 'call'];
const fewest: Readonly<Record<string, number>> = {
  print: 0,
  println: 0,
  eq: 2,
  ne: 2,
  lt: 2,
  le: 2,
  gt: 2,
  ge: 2,
};

export function callFunction(name: string, args: readonly unknown[]): unknown {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!found) throw unknownFunction(name);
  if (args.length < (fewest[name] ?? 1)) throw templateError(`${name} needs more arguments`);
  return found(args);
}

function unknownFunction(name: string): Error {
  if (refused.includes(name)) return notInTemplates(`the function ${name}`);
  const known = [...Object.keys(functions), ...lazyFunctions];
  return templateError(`function "${name}" is not defined${didYouMean(name, known)}`);
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object') return Object.keys(value ?? {}).length;
  throw templateError(`len of ${shown(value)}`);
}

function memberOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    if (typeof key === 'number' && key >= 0 && key < value.length) return value[key];
    throw templateError(`index ${shown(key)} of a list of ${value.length}`);
  }
  if (typeof value !== 'object' || value === null) throw templateError(`index of ${shown(value)}`);
  return Object.hasOwn(value, String(key)) ? Reflect.get(value, String(key)) : undefined;
}

function sliceOf(value: unknown, from: unknown, to: unknown): unknown {
  const [start, end] = [Number(from), to === undefined ? undefined : Number(to)];
  if (typeof value === 'string') return Buffer.from(value).subarray(start, end).toString();
  if (Array.isArray(value)) return value.slice(start, end);
  throw templateError(`slice of ${shown(value)}`);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  throw templateError(`${shown(a)} and ${shown(b)} cannot be compared`);
}
