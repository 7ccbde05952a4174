/**
 * The patterns of `${name#pattern}` and its kin: `*`, `?` and backslash escapes, no brackets.
 * BuildKit: frontend/dockerfile/shell/lex.go.
 */
import { ExpandError } from './expand-error.js';

/** Takes the shortest (or longest) match of `pattern` off the start. */
export function trimPrefix(pattern: string, value: string, longest: boolean): string {
  const match = compile(pattern, longest, true).exec(value);
  return match ? value.slice(match[0].length) : value;
}

/** Takes it off the end: searching backwards is searching the reversed text forwards. */
export const trimSuffix = (pattern: string, value: string, longest: boolean): string =>
  reverse(trimPrefix(reversePattern(pattern), reverse(value), longest));

/** Replaces the first longest match, or all of them. */
export function replacePattern(value: string, pattern: string, replacement: string, all: boolean): string {
  const regexp = compile(pattern, true, false);
  let result = '';
  let copied = 0;
  let lastEnd = -1;
  for (const match of value.matchAll(regexp)) {
    const { index } = match;
    // An empty match right behind another one does not count.
    if (match[0] === '' && index === lastEnd) continue;
    result += value.slice(copied, index) + (all ? fillIn(replacement, match[0]) : replacement);
    copied = lastEnd = index + match[0].length;
    if (!all) break;
  }
  return result + value.slice(copied);
}

/** Replacing all reads `$0` as the match and `$$` as a dollar, as Go's regexp package does. */
const fillIn = (replacement: string, match: string): string =>
  replacement.replace(/\$(\$|\w+|\{\w+\})/g, (_, name: string) =>
    name === '$' ? '$' : name === '0' || name === '{0}' ? match : '',
  );

function compile(pattern: string, greedy: boolean, anchored: boolean): RegExp {
  const characters = [...pattern];
  let source = anchored ? '^' : '';
  for (let at = 0; at < characters.length; at++) {
    let character = characters[at]!;
    if (character === '*') source += greedy ? '[^\\n]*' : '[^\\n]*?';
    else if (character === '?') source += '[^\\n]';
    else {
      if (character === '\\') {
        const next = characters[at + 1] ?? '';
        // The escape of a brace or slash belongs to the substitution, not to the pattern.
        if (next === '}' || next === '/') continue;
        if (!['*', '?', '\\'].includes(next)) {
          throw new ExpandError(`invalid pattern (${pattern}) in substitution: invalid escape '\\${next}'`);
        }
        character = next;
        at++;
      }
      source += character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
    }
  }
  return new RegExp(source, anchored ? 'u' : 'gu');
}

/** Escapes stay in front of what they escape: `a\*c` becomes `c\*a`. */
function reversePattern(pattern: string): string {
  const units = [...pattern.matchAll(/\\.|./gsu)].map(([unit]) => unit);
  return units.reverse().join('');
}

const reverse = (text: string): string => [...text].reverse().join('');
