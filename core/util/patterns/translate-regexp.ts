import { PatternError } from './pattern-error.js';

/** Go's escapes that JavaScript spells or reads differently. RE2's classes are ASCII only. */
const escapes: Readonly<Record<string, string>> = {
  d: '[0-9]',
  D: '[^0-9]',
  w: '[0-9A-Za-z_]',
  W: '[^0-9A-Za-z_]',
  s: '[\\t\\n\\f\\r ]',
  S: '[^\\t\\n\\f\\r ]',
  b: '\\b',
  B: '\\B',
  A: '^',
  z: '$',
  a: '\\x07',
  f: '\\f',
  n: '\\n',
  r: '\\r',
  t: '\\t',
  v: '\\v',
};

/**
 * The few constructs of RE2 that a pattern can contain, as a JavaScript expression: `.` stops at line feeds only, a
 * bracket that closes nothing is itself, and an escaped letter has its meaning in RE2 or none.
 */
export function translateRegExp(pattern: string, source: string): RegExp {
  let result = '';
  let inClass = false;
  const chars = [...source];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    if (char === '\\') {
      result += translateEscape(pattern, chars[++at], inClass);
    } else if (inClass) {
      if (char === '[' && chars[at + 1] === ':')
        throw new PatternError(pattern, 'named classes are not supported');
      inClass = char !== ']';
      result += char === '[' ? '\\[' : char;
    } else if (char === '[') {
      inClass = true;
      const negated = chars[at + 1] === '^';
      if (negated) at++;
      const closing = chars[at + 1] === ']';
      if (closing) at++;
      result += `[${negated ? '^' : ''}${closing ? '\\]' : ''}`;
    } else {
      result += char === ']' ? '\\]' : char === '.' ? '[^\\n]' : char;
    }
  }
  try {
    return new RegExp(result, 'u');
  } catch (error) {
    throw new PatternError(pattern, error instanceof Error ? error.message : String(error));
  }
}

function translateEscape(pattern: string, char: string | undefined, inClass: boolean): string {
  if (char === undefined) throw new PatternError(pattern);
  if (/[A-Za-z0-9]/.test(char)) {
    const known = escapes[char];
    if (known === undefined || (inClass && !'afnrtv'.includes(char))) {
      throw new PatternError(pattern, `unknown escape "\\${char}"`);
    }
    return known;
  }
  return /[\^$\\.*+?()[\]{}|/-]/.test(char) ? (char === '-' && !inClass ? '-' : `\\${char}`) : char;
}
