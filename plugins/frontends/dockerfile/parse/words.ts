/**
 * Cuts a line into words at spaces outside quotes. Quotes and escapes stay: they are dealt with when the word is
 * expanded. BuildKit: frontend/dockerfile/parser/line_parsers.go.
 */
import { Scanner } from '../expand/scanner.js';

const isSpace = (character: string): boolean => /\s/u.test(character);

export function splitWords(line: string, escapeToken: string): string[] {
  const scanner = new Scanner(line);
  const words: string[] = [];
  for (;;) {
    scanner.takeWhile(isSpace);
    if (scanner.done) return words;
    const word = readWord(scanner, escapeToken);
    if (word !== '') words.push(word);
  }
}

function readWord(scanner: Scanner, escapeToken: string): string {
  let word = '';
  let quote = '';
  while (!scanner.done && (quote !== '' || !isSpace(scanner.peek()))) {
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
  return word;
}

/** Cuts at runs of ASCII white space. Leading space makes a first empty word, as in BuildKit. */
export const splitSpaces = (line: string): string[] => (line === '' ? [] : line.split(/[\t\v\f\r ]+/));
