/**
 * Quotes, escapes and variables of Dockerfile words, after the manner of a shell.
 * BuildKit: frontend/dockerfile/shell/lex.go.
 */
import { goQuote } from '../../../../core/util/go-quote.js';
import { ExpandError } from './expand-error.js';
import { Scanner } from './scanner.js';
import { replacePattern, trimPrefix, trimSuffix } from './shell-pattern.js';
import { WordList } from './word-list.js';

export interface Environment {
  get(name: string): string | undefined;
  keys(): Iterable<string>;
}
export const emptyEnvironment: Environment = new Map<string, string>();

export interface LexOptions {
  /** `\`, or the backtick of an escape directive. */
  readonly escapeToken: string;
  /** Quotes stay in the result. */
  readonly rawQuotes?: boolean;
  readonly rawEscapes?: boolean;
  /** Quotes are characters like others. */
  readonly skipQuotes?: boolean;
  /** References to variables that are not set stay as they are. */
  readonly skipUnset?: boolean;
}

export interface Expanded {
  readonly text: string;
  /** Variables that were read, and those that were read but not set. */
  readonly matched: ReadonlySet<string>;
  readonly unmatched: ReadonlySet<string>;
}

export function expand(word: string, env: Environment, options: LexOptions): Expanded {
  if (!special.test(word)) return { text: word, matched: nothing, unmatched: nothing };
  return new Expansion(word, env, options).run();
}

/** The text cut at unquoted spaces, after expansion. */
export function expandWords(word: string, env: Environment, options: LexOptions): readonly string[] {
  const words = new WordList();
  new Expansion(word, env, options).run(words);
  return words.finish();
}

/** What most words lack: quotes, escapes, variables, and the start of a heredoc. */
const special = /[$'"<\\`]/;
const nothing: ReadonlySet<string> = new Set();

/** Far more than anyone writes, far less than the stack holds. */
const MAX_DEPTH = 500;

class Expansion {
  readonly #word: string;
  readonly #in: Scanner;
  readonly #env: Environment;
  readonly #options: LexOptions;
  #matched: Set<string> | undefined;
  #unmatched: Set<string> | undefined;
  #depth = 0;

  constructor(word: string, env: Environment, options: LexOptions) {
    this.#word = word;
    this.#in = new Scanner(word);
    this.#env = env;
    this.#options = options;
  }

  run(words?: WordList): Expanded {
    try {
      const text = this.#until('', this.#options.rawEscapes ?? false, words);
      return { text, matched: this.#matched ?? nothing, unmatched: this.#unmatched ?? nothing };
    } catch (error) {
      throw error instanceof ExpandError
        ? new ExpandError(`failed to process ${goQuote(this.#word)}: ${error.message}`, this.#unmatched)
        : error;
    }
  }

  /** Expands up to `stop`, which is taken too; up to the end if that is empty. */
  #until(stop: string, rawEscapes: boolean, words?: WordList): string {
    const { escapeToken } = this.#options;
    const stops = `$<'"${escapeToken}${stop}`;
    let text = '';
    while (!this.#in.done) {
      const plain = this.#in.takeUntil(stops);
      words?.add(plain);
      text += plain;
      const character = this.#in.peek();
      if (character === '') break;
      if (character === stop) {
        this.#in.next();
        return text;
      }
      const special = this.#special(character, rawEscapes);
      if (special !== undefined) {
        text += special;
        if (character === '$') words?.add(special);
        else words?.addRaw(special);
        continue;
      }
      this.#in.next();
      if (character !== escapeToken) {
        words?.add(character);
        text += character;
        continue;
      }
      const escaped = (rawEscapes ? character : '') + this.#in.next();
      words?.addRaw(escaped);
      text += escaped;
    }
    if (stop !== '') throw new ExpandError(`unexpected end of statement while looking for matching ${stop}`);
    return text;
  }

  #special(character: string, rawEscapes: boolean): string | undefined {
    if (character === '$') return this.#dollar();
    if (character === '<') return this.#lessThan();
    if (this.#options.skipQuotes) return undefined;
    if (character === "'") return this.#singleQuoted();
    return character === '"' ? this.#doubleQuoted(rawEscapes) : undefined;
  }

  #singleQuoted(): string {
    this.#in.next();
    const inside = this.#in.takeUntil("'");
    if (this.#in.next() === '') {
      throw new ExpandError('unexpected end of statement while looking for matching single-quote');
    }
    return this.#options.rawQuotes ? `'${inside}'` : inside;
  }

  #doubleQuoted(rawEscapes: boolean): string {
    const { escapeToken, rawQuotes } = this.#options;
    this.#in.next();
    let inside = '';
    const stops = `$"${escapeToken}`;
    while (!this.#in.done) {
      inside += this.#in.takeUntil(stops);
      const character = this.#in.peek();
      if (character === '$') {
        inside += this.#dollar();
        continue;
      }
      this.#in.next();
      if (character === '"') return rawQuotes ? `"${inside}"` : inside;
      if (character !== escapeToken) inside += character;
      else inside += this.#escapedInQuotes(rawEscapes);
    }
    throw new ExpandError('unexpected end of statement while looking for matching double-quote');
  }

  /** Inside double quotes the escape only escapes quotes, dollars and itself. */
  #escapedInQuotes(rawEscapes: boolean): string {
    const { escapeToken } = this.#options;
    const raw = rawEscapes ? escapeToken : '';
    const next = this.#in.peek();
    if (next === '') return raw;
    return raw + (next === '"' || next === '$' || next === escapeToken ? this.#in.next() : escapeToken);
  }

  /** Keeps the spaces behind `<<`, so that a heredoc and its word stay together. */
  #lessThan(): string {
    this.#in.next();
    if (this.#in.peek() !== '<') return '<';
    this.#in.next();
    return `<<${this.#in.take(blanks)}`;
  }

  #dollar(): string {
    this.#in.next();
    if (this.#in.peek() !== '{') {
      const name = this.#name();
      if (name === '') return '$';
      return this.#lookUp(name) ?? (this.#options.skipUnset ? `$${name}` : '');
    }
    this.#in.next();
    const first = this.#in.peek();
    if (first === '') throw new ExpandError("syntax error: missing '}'");
    if (first === '{' || first === '}' || first === ':')
      throw new ExpandError('syntax error: bad substitution');
    return this.#substitution(this.#name());
  }

  /** What stands between the name and the closing brace. */
  #substitution(name: string): string {
    const operator = this.#in.next();
    if (operator === '}') return this.#lookUp(name) ?? (this.#options.skipUnset ? `\${${name}}` : '');
    if (operator === '') throw new ExpandError("syntax error: missing '}'");
    if (operator === '/') return this.#replacement(name);
    const emptyIsUnset = operator === ':';
    const modifier = emptyIsUnset ? this.#in.next() : operator;
    const written = emptyIsUnset ? `:${modifier}` : modifier;
    const trims = modifier === '#' || modifier === '%';
    if (!emptyIsUnset && !['+', '-', '?', '#', '%'].includes(modifier)) throw unsupportedModifier(written);
    if (emptyIsUnset && trims) throw unsupportedModifier(written);
    const word = this.#part('}', trims);
    const value = this.#lookUp(name);
    if (value === undefined && this.#options.skipUnset) return `\${${name}${written}${word}}`;
    const isSet = value !== undefined && !(emptyIsUnset && value === '');
    switch (modifier) {
      case '-':
        return isSet ? value : word;
      case '+':
        return isSet ? word : '';
      case '?':
        if (isSet) return value;
        throw new ExpandError(
          `${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`,
        );
      case '#':
      case '%': {
        const longest = word.startsWith(modifier);
        const pattern = longest ? word.slice(1) : word;
        return (modifier === '#' ? trimPrefix : trimSuffix)(pattern, value ?? '', longest);
      }
      default:
        throw unsupportedModifier(written);
    }
  }

  #replacement(name: string): string {
    const all = this.#in.peek() === '/';
    if (all) this.#in.next();
    const pattern = this.#part('/', true, `missing '/' in \${}`);
    const replacement = this.#part('}', true);
    const value = this.#lookUp(name);
    if (value === undefined && this.#options.skipUnset) return `\${${name}/${pattern}/${replacement}}`;
    return replacePattern(value ?? '', pattern, replacement, all);
  }

  #part(stop: string, rawEscapes: boolean, missing = "missing '}'"): string {
    if (++this.#depth > MAX_DEPTH) throw new ExpandError('substitutions are nested too deeply');
    try {
      const text = this.#until(stop, rawEscapes);
      this.#depth--;
      return text;
    } catch (error) {
      throw error instanceof ExpandError && this.#in.done
        ? new ExpandError(`syntax error: ${missing}`)
        : error;
    }
  }

  /** A name, a number, or one of the shell's special parameters. */
  #name(): string {
    const first = this.#in.peek();
    if (/\p{Nd}/u.test(first)) return this.#in.take(number);
    if (first !== '' && '@*#?-$!0'.includes(first)) return this.#in.next();
    return this.#in.take(name);
  }

  #lookUp(name: string): string | undefined {
    const value = this.#env.get(name);
    if (value === undefined) this.#unmatched = withName(this.#unmatched, name);
    else this.#matched = withName(this.#matched, name);
    return value;
  }
}

const withName = (names: Set<string> | undefined, name: string): Set<string> =>
  names?.add(name) ?? new Set([name]);

const blanks = /[ \t\r]*/uy;
const number = /\p{Nd}*/uy;
const name = /[\p{L}\p{Nd}_]*/uy;

const unsupportedModifier = (written: string): ExpandError =>
  new ExpandError(`unsupported modifier (${written}) in substitution`);
