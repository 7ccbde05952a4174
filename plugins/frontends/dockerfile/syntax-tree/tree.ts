/**
 * A Dockerfile with everything that is in it, for tools that change one and leave the rest as it is: printing a tree gives
 * the very bytes it was read from. Which lines belong together is the parser's word; what it refuses becomes one item.
 */

export type TokenKind =
  | 'space'
  | 'keyword'
  | 'word'
  /** The escape character at the end of a line that goes on. */
  | 'continuation'
  | 'comment'
  | 'newline'
  /** The lines of a heredoc, and the one that ends it. */
  | 'heredoc'
  | 'text';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

export interface Item {
  readonly kind: 'instruction' | 'directive' | 'comment' | 'blank' | 'unreadable';
  /** Counted from 1. */
  readonly firstLine: number;
  readonly tokens: readonly Token[];
}

export interface SyntaxTree {
  readonly items: readonly Item[];
  /** Files that are no UTF-8 are read one character a byte, which loses nothing either. */
  readonly encoding: 'utf8' | 'latin1';
}

export const textOf = ({ tokens }: Pick<Item, 'tokens'>): string => tokens.map(({ text }) => text).join('');

export const printTree = ({ items, encoding }: SyntaxTree): Uint8Array =>
  Buffer.from(items.map(textOf).join(''), encoding);
