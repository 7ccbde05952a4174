import type { Node } from '../parse/node.js';
import { type ParsedFile, parse } from '../parse/parse.js';
import type { Item, SyntaxTree, Token, TokenKind } from './tree.js';

export function readTree(bytes: Uint8Array): SyntaxTree {
  const { text, encoding } = decode(bytes);
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const parsed = tryParse(text);
  return { encoding, items: parsed ? itemsOf(lines, parsed) : unreadable(text) };
}

function decode(bytes: Uint8Array): { readonly text: string; readonly encoding: SyntaxTree['encoding'] } {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return { text: decoder.decode(bytes), encoding: 'utf8' };
  } catch {
    return { text: Buffer.from(bytes).toString('latin1'), encoding: 'latin1' };
  }
}

function tryParse(text: string): ParsedFile | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

const unreadable = (text: string): Item[] =>
  text === '' ? [] : [{ kind: 'unreadable', firstLine: 1, tokens: [{ kind: 'text', text }] }];

function itemsOf(lines: readonly string[], { nodes, escapeToken }: ParsedFile): Item[] {
  const items: Item[] = [];
  let taken = 0;
  let isTop = true;
  const between = (end: number): void => {
    for (; taken < end; taken++) {
      const item = lineItem(lines[taken]!, taken + 1, isTop);
      isTop &&= item.kind === 'directive';
      items.push(item);
    }
  };
  for (const node of nodes) {
    const first = node.ranges[0]!.start.line;
    const last = node.ranges.at(-1)!.start.line;
    between(first - 1);
    isTop = false;
    const tokens = instructionTokens(lines.slice(first - 1, last), node, escapeToken);
    items.push({ kind: 'instruction', firstLine: first, tokens });
    taken = last;
  }
  between(lines.length);
  return items;
}

const directive = /^(?:\uFEFF)?\s*#\s*(?:syntax|escape|check)\s*=\s*\S/i;

/** A line that belongs to no instruction. */
function lineItem(line: string, firstLine: number, isTop: boolean): Item {
  const [body, newline] = splitNewline(line);
  const isComment = /^(?:\uFEFF)?\s*#/.test(body);
  const kind = isTop && directive.test(body) ? 'directive' : isComment ? 'comment' : 'blank';
  return {
    kind,
    firstLine,
    tokens: [...one(isComment ? 'comment' : 'space', body), ...one('newline', newline)],
  };
}

function instructionTokens(lines: readonly string[], { heredocs }: Node, escapeToken: string): Token[] {
  const heredocLines = heredocs.reduce((sum, { content }) => sum + content.split('\n').length, 0);
  const own = lines.slice(0, lines.length - heredocLines);
  const tokens = own.flatMap((line, index) => lineTokens(line, escapeToken, index === 0));
  return [...tokens, ...one('heredoc', lines.slice(own.length).join(''))];
}

function lineTokens(line: string, escapeToken: string, isFirst: boolean): Token[] {
  const [body, newline] = splitNewline(line);
  if (!isFirst && /^\s*#/.test(body)) return [...one('comment', body), ...one('newline', newline)];
  const [, text = body, end = ''] = continuations[escapeToken]?.exec(body) ?? [];
  const words = text.match(/[\s\uFEFF]+|[^\s\uFEFF]+/g) ?? [];
  let needsKeyword = isFirst;
  const tokens = words.map((word): Token => {
    if (/^[\s\uFEFF]/.test(word)) return { kind: 'space', text: word };
    const kind: TokenKind = needsKeyword ? 'keyword' : 'word';
    needsKeyword = false;
    return { kind, text: word };
  });
  return [...tokens, ...one('continuation', end), ...one('newline', newline)];
}

/** As the parser has it: an escape character that is not escaped itself, with nothing but blanks behind it. */
const continuations: Readonly<Record<string, RegExp>> = {
  '\\': /^(|.*[^\\])(\\[ \t]*)$/su,
  '`': /^(|.*[^`])(`[ \t]*)$/su,
};

function splitNewline(line: string): [body: string, newline: string] {
  const [newline = ''] = /\r*\n?$/.exec(line) ?? [];
  return [line.slice(0, line.length - newline.length), newline];
}

const one = (kind: TokenKind, text: string): Token[] => (text === '' ? [] : [{ kind, text }]);
