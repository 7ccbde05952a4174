/** What a schema has against a value, as one sentence with its place and, for a typo, the nearest right thing. */
import type { z } from 'zod';
import type { BuildError } from '../../contracts/index.js';
import { didYouMean } from '../../util/nearest.js';

export type ConfigPath = readonly (string | number)[];

export interface Explained {
  readonly error: z.ZodError;
  /** What it was found with, and in. */
  readonly schema: z.ZodType;
  readonly value: unknown;
  /** Where the value stands in the file, and makes an error of that place. */
  written(path: ConfigPath): ConfigPath;
  at(path: ConfigPath, message: string): BuildError;
}

/** The first issue; the others come up when it is mended. */
export function explain({ error, schema, value, written, at }: Explained): BuildError {
  const issue = error.issues[0]!;
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const place = written([...path, key]);
    return at(place, `unknown key "${place.join('.')}"${didYouMean(key, keysAt(schema, path))}`);
  }
  const place = written(path);
  const given = valueAt(value, path);
  const says = issue.message.replace(/^Invalid (?:option|input): /, '');
  const nearest =
    issue.code === 'invalid_value' && typeof given === 'string'
      ? didYouMean(given, issue.values.map(String))
      : '';
  return at(place, `"${place.join('.')}": ${shown(given)}${says}${nearest}`);
}

/** Nothing for tables, and for what is missing. */
const shown = (given: unknown): string =>
  typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean'
    ? `${JSON.stringify(given)}: `
    : '';

const valueAt = (value: unknown, path: ConfigPath): unknown =>
  path.reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], value);

/** The keys that a schema knows at a path. */
function keysAt(schema: z.ZodType, path: ConfigPath): string[] {
  let node: unknown = schema;
  for (const part of path) {
    const { shape, valueType, element } = unwrap(node) as {
      shape?: Record<string, unknown>;
      valueType?: unknown;
      element?: unknown;
    };
    node = shape?.[part] ?? valueType ?? element;
  }
  return Object.keys((unwrap(node) as { shape?: object } | undefined)?.shape ?? {});
}

/** Strips `default`, `optional` and `prefault` wrappers. */
function unwrap(schema: unknown): unknown {
  let node = schema as { unwrap?: () => unknown; element?: unknown } | undefined;
  // An array has `unwrap` as well, which would skip a step of the path.
  while (node && typeof node.unwrap === 'function' && node.element === undefined)
    node = node.unwrap() as typeof node;
  return node;
}
