/** Cuts an instruction into keyword, `--flags` and the rest. BuildKit: frontend/dockerfile/parser/split_command.go. */
import { Scanner } from '../expand/scanner.js';
import { isSpace, plainText, skipBlanks, toBlank } from './words.js';

export interface SplitCommand {
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly rest: string;
}

export function splitCommand(line: string, escapeToken: string): SplitCommand {
  const trimmed = line.trim();
  const end = toBlank(trimmed, 0);
  if (end === trimmed.length) return { keyword: trimmed, flags: [], rest: '' };
  const { flags, rest } = takeFlags(trimmed.slice(skipBlanks(trimmed, end)), escapeToken);
  return { keyword: trimmed.slice(0, end), flags, rest: rest.trim() };
}

/** Flags come first; a lone `--` ends them and is dropped. */
function takeFlags(line: string, escapeToken: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let rest = line;
  for (;;) {
    rest = rest.trimStart();
    if (!rest.startsWith('--')) return { flags, rest };
    const { word, length, quoted } = readFlag(rest, escapeToken);
    rest = rest.slice(length);
    if (word === '--') return { flags, rest };
    if (word !== '' || quoted) flags.push(word);
  }
}

interface Flag {
  /** Without its quotes and escapes. */
  readonly word: string;
  readonly length: number;
  readonly quoted: boolean;
}

function readFlag(text: string, escapeToken: string): Flag {
  const plain = plainText(escapeToken);
  const scanner = new Scanner(text);
  let word = '';
  let quote = '';
  let quoted = false;
  for (;;) {
    word += scanner.take(plain);
    if (scanner.done || (quote === '' && isSpace(scanner.peek()))) {
      return { word, length: scanner.at, quoted };
    }
    const character = scanner.next();
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
      quoted = true;
    } else if (character === escapeToken) word += scanner.next();
    else word += character;
  }
}
