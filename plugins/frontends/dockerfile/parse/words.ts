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
export const splitSpaces = (line: string): string[] => (line === '' ? [] : line.split(/[\t\v\f\r ]+/));
