import { syntaxError } from '../located.js';

/** The strings of a JSON array, or undefined if the text is something else. An array of other things is an error. */
export function parseJsonStrings(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  const value = tryJson(text);
  if (!Array.isArray(value)) return undefined;
  if (!value.every((item) => typeof item === 'string')) {
    throw syntaxError('when using JSON array syntax, arrays must be comprised of strings only');
  }
  return value;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
