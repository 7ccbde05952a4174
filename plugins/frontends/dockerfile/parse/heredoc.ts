/**
 * Here-documents: `<<WORD` takes the following lines up to one that is WORD. `<<-` ignores leading tabs; a quoted
 * word switches variables off. BuildKit: frontend/dockerfile/parser/parser.go.
 */
import { emptyEnvironment, expandWords, type LexOptions } from '../expand/shell-lex.js';

export interface HeredocStart {
  readonly name: string;
  readonly expand: boolean;
  /** Leading tabs do not count. */
  readonly chomp: boolean;
}
export interface Heredoc extends HeredocStart {
  readonly content: string;
}

const lex: LexOptions = { escapeToken: '\\', skipUnset: true };
const rawQuotes: LexOptions = { ...lex, rawQuotes: true };
const rawLine: LexOptions = { ...rawQuotes, rawEscapes: true };

/** Reads a word as the start of a heredoc, if it is one. */
export function parseHeredocStart(word: string): HeredocStart | undefined {
  if (!word.includes('<<')) return undefined;
  const match = /^(\d*)<<(-?)\s*([^<]*)$/.exec(word);
  const rest = match?.[3];
  if (!match || !rest) return undefined;
  const [name, ...more] = expandWords(rest, emptyEnvironment, lex);
  if (name === undefined || more.length > 0) return undefined;
  // Quotes that only the raw reading keeps were there to quote the word.
  const [raw] = expandWords(rest, emptyEnvironment, rawQuotes);
  return { name, expand: quotes(name) === quotes(raw ?? ''), chomp: match[2] === '-' };
}

/** The same for words that may be anything: one that cannot be read is no heredoc. */
export function asHeredocStart(word: string): HeredocStart | undefined {
  try {
    return parseHeredocStart(word);
  } catch {
    return undefined;
  }
}

const quotes = (text: string): number => text.split(/['"]/).length - 1;

export function heredocStarts(line: string): HeredocStart[] {
  return lineWords(line).flatMap((word) => parseHeredocStart(word) ?? []);
}

function lineWords(line: string): readonly string[] {
  try {
    return expandWords(line, emptyEnvironment, rawLine);
  } catch {
    // A line that the shell will reject has no heredocs.
    return [];
  }
}

export const chompTabs = (content: string): string => content.replace(/^\t+/gm, '');
