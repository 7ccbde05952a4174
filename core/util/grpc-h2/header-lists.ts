/**
 * Lists in headers: values go as they are, unless one of them is not ASCII; then all values of that key are escaped
 * and a second key says so. Wire facts E3.8. BuildKit: session/filesync/filesync.go encodeOpts.
 */
import { parseGoBool } from '../go-bool.js';

export type HeaderLists = Readonly<Record<string, readonly string[]>>;

export function encodeHeaderLists(lists: HeaderLists): Record<string, readonly string[]> {
  const headers: Record<string, readonly string[]> = {};
  for (const [key, values] of Object.entries(lists)) {
    if (values.length === 0) continue;
    if (values.every(isAscii)) headers[key] = values;
    else {
      headers[key] = values.map(queryEscape);
      headers[`${key}-encoded`] = ['1'];
    }
  }
  return headers;
}

/** `header` answers all values of a key. */
export function decodeHeaderList(
  header: (name: string) => readonly string[],
  key: string,
): readonly string[] {
  const values = header(key);
  return parseGoBool(header(`${key}-encoded`)[0] ?? '') ? values.map(queryUnescape) : values;
}

const isAscii = (text: string): boolean => [...text].every((char) => char <= '\x7f');

/** Go: url.QueryEscape keeps letters, digits and `-_.~`, a space becomes `+`. */
export const queryEscape = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');

export function queryUnescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return '';
  }
}
