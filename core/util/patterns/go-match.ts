/**
 * Globs as Go's filepath.Match reads them: `*` and `?` stop at `/`, classes do not, `\` escapes anywhere, and a
 * bad pattern is an error even where the name differs before it. A run between two stars matches at the leftmost
 * place that fits and stays there; with classes that take `/` this is not what a regular expression would do,
 * which is why there is none here.
 */
import { PatternError } from './pattern-error.js';

interface CharClass {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [low: string, high: string])[];
}
/** One character to match: itself, any but `/`, or a class. */
type Token = { readonly literal: string } | { readonly any: true } | { readonly class: CharClass };
interface Chunk {
  readonly star: boolean;
  readonly tokens: readonly Token[];
}

export type GoGlob = (name: string) => boolean;

/** Compiles a glob; {@link PatternError} for a malformed one. */
export function compileGoMatch(pattern: string): GoGlob {
  const chunks = new GlobParser(pattern).parse();
  return (name) => matchChunks(chunks, [...name]);
}

export const goMatch = (pattern: string, name: string): boolean => compileGoMatch(pattern)(name);

/** Whether a path has an unescaped `*`, `?` or `[`. */
export function hasWildcards(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    const char = path[i]!;
    if (char === '\\') i++;
    else if (char === '*' || char === '?' || char === '[') return true;
  }
  return false;
}

function matchChunks(chunks: readonly Chunk[], name: readonly string[]): boolean {
  let at = 0;
  for (const [index, chunk] of chunks.entries()) {
    const last = index === chunks.length - 1;
    if (chunk.star && chunk.tokens.length === 0) return !name.includes('/', at);
    const end = chunk.star ? seek(chunk.tokens, name, at, last) : matchAt(chunk.tokens, name, at);
    if (end === undefined || (last && end !== name.length)) return false;
    at = end;
  }
  return at === name.length;
}

/** The end of the leftmost match at or after `from`, not skipping over `/`; a last chunk has to reach the end. */
function seek(
  tokens: readonly Token[],
  name: readonly string[],
  from: number,
  last: boolean,
): number | undefined {
  for (let start = from; start <= name.length; start++) {
    const end = matchAt(tokens, name, start);
    if (end !== undefined && (!last || end === name.length)) return end;
    if (name[start] === '/') return undefined;
  }
  return undefined;
}

function matchAt(tokens: readonly Token[], name: readonly string[], start: number): number | undefined {
  if (start + tokens.length > name.length) return undefined;
  const fits = tokens.every((token, offset) => matchToken(token, name[start + offset]!));
  return fits ? start + tokens.length : undefined;
}

function matchToken(token: Token, char: string): boolean {
  if ('literal' in token) return token.literal === char;
  if ('any' in token) return char !== '/';
  const code = char.codePointAt(0)!;
  const inside = token.class.ranges.some(
    ([low, high]) => low.codePointAt(0)! <= code && code <= high.codePointAt(0)!,
  );
  return inside !== token.class.negated;
}

class GlobParser {
  readonly #pattern: string;
  readonly #chars: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#chars = [...pattern];
  }

  parse(): readonly Chunk[] {
    const chunks: Chunk[] = [];
    while (this.#at < this.#chars.length) {
      let star = false;
      for (; this.#chars[this.#at] === '*'; this.#at++) star = true;
      const tokens: Token[] = [];
      while (this.#at < this.#chars.length && this.#chars[this.#at] !== '*') tokens.push(this.#token());
      chunks.push({ star, tokens });
    }
    return chunks;
  }

  #token(): Token {
    const char = this.#chars[this.#at++]!;
    if (char === '?') return { any: true };
    if (char === '[') return { class: this.#class() };
    if (char === '\\') return { literal: this.#next() };
    return { literal: char };
  }

  #class(): CharClass {
    const negated = this.#chars[this.#at] === '^';
    if (negated) this.#at++;
    const ranges: (readonly [string, string])[] = [];
    while (this.#chars[this.#at] !== ']' || ranges.length === 0) {
      const low = this.#classChar();
      const ranged = this.#chars[this.#at] === '-';
      if (ranged) this.#at++;
      ranges.push([low, ranged ? this.#classChar() : low]);
    }
    this.#at++;
    return { negated, ranges };
  }

  /** A bare `-` or `]` cannot stand where a member of a class is expected. */
  #classChar(): string {
    const char = this.#next();
    if (char === '-' || char === ']') throw this.#bad();
    const value = char === '\\' ? this.#next() : char;
    if (this.#at >= this.#chars.length) throw this.#bad();
    return value;
  }

  #next(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw this.#bad();
    return char;
  }

  #bad(): Error {
    return new PatternError(this.#pattern);
  }
}
