/**
 * Cuts a line into words at spaces outside quotes. Quotes and escapes stay: they are dealt with when the word is
 * expanded. BuildKit: frontend/dockerfile/parser/line_parsers.go.
 */
import { Scanner } from '../expand/scanner.js';

export const isSpace = (character: string): boolean => /\s/u.test(character);
const spaces = /\s*/uy;

/** What is neither space nor quote nor escape. */
export const plainText = (escapeToken: string): RegExp => (escapeToken === '`' ? besideBackticks : usual);
const usual = /[^\s"'\\]*/uy;
const besideBackticks = /[^\s"'`]*/uy;

export function splitWords(line: string, escapeToken: string): string[] {
  const scanner = new Scanner(line);
  const words: string[] = [];
  for (;;) {
    scanner.take(spaces);
    if (scanner.done) return words;
    const word = readWord(scanner, escapeToken);
    if (word !== '') words.push(word);
  }
}

function readWord(scanner: Scanner, escapeToken: string): string {
  const plain = plainText(escapeToken);
  let word = '';
  let quote = '';
  for (;;) {
    word += scanner.take(plain);
    if (scanner.done || (quote === '' && isSpace(scanner.peek()))) return word;
    const character = scanner.next();
    if (character === escapeToken && quote !== "'") {
      // An escape at the very end escapes nothing and is dropped.
      if (!scanner.done) word += character + scanner.next();
      continue;
    }
    if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
    word += character;
  }
}

/** Cuts at runs of ASCII white space. Leading space makes a first empty word, as in BuildKit. */
export function splitSpaces(line: string): string[] {
  if (line === '') return [];
  const words: string[] = [];
  for (let at = 0; ; ) {
    const end = toBlank(line, at);
    words.push(line.slice(at, end));
    if (end === line.length) return words;
    at = skipBlanks(line, end);
  }
}

/** Where the next ASCII white space is that ends no line, or the end of the text. */
export function toBlank(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isBlank(text.charCodeAt(at))) at++;
  return at;
}

export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** Space, tab, vertical tab, form feed, carriage return. */
const isBlank = (unit: number): boolean => unit === 0x20 || unit === 0x09 || (unit >= 0x0b && unit <= 0x0d);
