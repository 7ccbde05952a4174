/**
 * Splits a line into words as google/shlex does: quotes of both kinds, backslashes outside single quotes, and
 * comments from a `#` that starts a word to the end of the line.
 */
export function splitShell(line: string): string[] {
  const words: string[] = [];
  const characters = [...line];
  let at = 0;
  while (at < characters.length) {
    if (isSpace(characters[at]!)) at++;
    else if (characters[at] === '#') at = endOfLine(characters, at);
    else at = readWord(characters, at, words);
  }
  return words;
}

const isSpace = (character: string): boolean => ' \t\r\n'.includes(character);

const endOfLine = (characters: readonly string[], from: number): number => {
  const end = characters.indexOf('\n', from);
  return end < 0 ? characters.length : end + 1;
};

/** Appends the word starting at `from` and answers where it ends. */
function readWord(characters: readonly string[], from: number, words: string[]): number {
  let word = '';
  let quote = '';
  let at = from;
  for (; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === '\\' && quote !== "'") {
      const escaped = characters[++at];
      if (escaped === undefined) throw new Error('nothing follows the last backslash');
      word += escaped;
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else word += character;
    } else if (character === '"' || character === "'") quote = character;
    else if (isSpace(character)) break;
    else word += character;
  }
  if (quote !== '') throw new Error(`a ${quote} is never closed`);
  words.push(word);
  return at;
}
