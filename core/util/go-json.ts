/**
 * JSON exactly as Go's encoding/json writes it, for digests that are taken over such text (wire facts E5.4).
 *
 * A struct is a plain object: its keys are written in insertion order, so callers list them in the order of the Go
 * struct. A Go map is a `Map`: its keys are written sorted. `undefined` members are left out; bytes become
 * standard base64; bigints become integers.
 */
import { compareBytes } from './compare.js';

export type GoValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly GoValue[]
  | ReadonlyMap<string, GoValue>
  | GoStruct;
export interface GoStruct {
  readonly [key: string]: GoValue | undefined;
}

export function goJson(value: GoValue): string {
  if (typeof value === 'string') return goString(value);
  if (typeof value !== 'object') return String(value);
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`;
  if (isList(value)) return `[${value.map(goJson).join(',')}]`;
  return members(isMap(value) ? [...value].sort(byKeyBytes) : Object.entries(value));
}

// Loops, not chains, in this file: keys of whole graphs pass through it.
function members(entries: readonly (readonly [string, GoValue | undefined])[]): string {
  let text = '';
  for (const [key, value] of entries) {
    if (value !== undefined) text += `${text === '' ? '' : ','}${goString(key)}:${goJson(value)}`;
  }
  return `{${text}}`;
}

// The built-in guards do not narrow readonly collections.
const isList = (value: object): value is readonly GoValue[] => Array.isArray(value);
const isMap = (value: object): value is ReadonlyMap<string, GoValue> => value instanceof Map;

const byKeyBytes = ([a]: [string, unknown], [b]: [string, unknown]): number => compareBytes(a, b);

/**
 * What `omitempty` does to every member: zero numbers, `false`, empty strings, bytes, lists and maps are left out.
 * Structs stay even when they are empty, because in Go they are pointers here.
 */
export function omitEmpty(struct: GoStruct): GoStruct {
  const kept: Record<string, GoValue> = {};
  for (const [key, value] of Object.entries(struct)) {
    if (value !== undefined && !isEmpty(value)) kept[key] = value;
  }
  return kept;
}

function isEmpty(value: GoValue): boolean {
  if (value === null) return true;
  if (typeof value !== 'object') return !value;
  if (value instanceof Uint8Array || isList(value)) return value.length === 0;
  return isMap(value) && value.size === 0;
}

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

// Go escapes these for embedding in HTML and JavaScript; half a surrogate pair is invalid text to it.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
const special = /["\\<>&\u0000-\u001f\u2028\u2029]|\p{Surrogate}/gu;

const goString = (text: string): string => `"${text.replace(special, escaped)}"`;

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd';
  return short[character] ?? `\\u${code.toString(16).padStart(4, '0')}`;
}
