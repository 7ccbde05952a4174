/**
 * One line of an ignore file or one include or exclude pattern. moby/patternmatcher decides between four ways to
 * match while it reads a pattern, and the cheap ways differ from the regular expression in corners (`a**` is a
 * plain prefix); builds depend on those corners, so the same decisions are taken here.
 */
import { cleanPath } from '../gofs/path.js';
import { compileGoMatch, hasWildcards } from './go-match.js';
import { PatternError } from './pattern-error.js';
import { translateRegExp } from './translate-regexp.js';

export class Pattern {
  /** Cleaned, without the leading `!`. */
  readonly text: string;
  /** Starts with `!`: what it matches is taken back. */
  readonly negated: boolean;
  readonly #parts: readonly string[];
  readonly #match: (path: string) => boolean;

  constructor(source: string) {
    const cleaned = cleanPath(source.trim());
    this.negated = cleaned.startsWith('!');
    this.text = this.negated ? cleaned.slice(1) : cleaned;
    if (this.text === '') throw new PatternError(source, 'a "!" needs a pattern behind it');
    compileGoMatch(this.text); // A pattern has to be a valid glob even where it is matched otherwise.
    this.#parts = this.text.split('/');
    this.#match = compile(this.text);
  }

  /** Whether it matches exactly this path; parents do not count. */
  matches(path: string): boolean {
    return this.#match(path);
  }

  /** False when nothing below the directory `dir` can match. True may be wrong. */
  mayMatchBelow(dir: string): boolean {
    const dirParts = dir.split('/');
    for (const [index, part] of this.#parts.entries()) {
      if (part.includes('**')) return true;
      const dirPart = dirParts[index];
      if (dirPart === undefined) return true;
      if (!hasWildcards(part) && !part.includes('\\') && part !== dirPart) return false;
    }
    return false;
  }
}

/** What a pattern turned out to be so far. */
type Kind = 'exact' | 'prefix' | 'suffix' | 'regexp';

function compile(text: string): (path: string) => boolean {
  const { kind, regexp } = scan(text);
  switch (kind) {
    case 'exact':
      return (path) => path === text;
    case 'prefix': {
      const prefix = text.slice(0, -2);
      return (path) => path.startsWith(prefix);
    }
    case 'suffix': {
      const suffix = text.slice(2);
      const bare = suffix.startsWith('/') ? suffix.slice(1) : undefined;
      return (path) => path.endsWith(suffix) || path === bare;
    }
    case 'regexp': {
      const compiled = translateRegExp(text, `^${regexp}$`);
      return (path) => compiled.test(path);
    }
    default:
      return kind satisfies never;
  }
}

function scan(text: string): { readonly kind: Kind; readonly regexp: string } {
  const chars = [...text];
  let kind: Kind = 'exact';
  let regexp = '';
  for (let at = 0, step = 0; at < chars.length; step++) {
    const char = chars[at++]!;
    if (char === '*' && chars[at] === '*') {
      at++;
      if (chars[at] === '/') at++;
      if (at < chars.length) {
        regexp += '(.*/)?';
        kind = 'regexp';
      } else if (kind === 'exact') {
        kind = 'prefix';
      } else {
        regexp += '.*';
        kind = 'regexp';
      }
      if (step === 0) kind = 'suffix';
    } else if (char === '*' || char === '?') {
      regexp += char === '*' ? '[^/]*' : '[^/]';
      kind = 'regexp';
    } else if (char === '\\') {
      regexp += `\\${chars[at++] ?? ''}`;
      kind = 'regexp';
    } else if (char === '[' || char === ']') {
      regexp += char;
      kind = 'regexp';
    } else {
      regexp += '.+()|{}$'.includes(char) ? `\\${char}` : char;
    }
  }
  return { kind, regexp };
}
