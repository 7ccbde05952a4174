/** How a source that is one file calls it. The attributes are named after the first such source. */
import { type Attributes, badAttribute } from './attributes.js';

export interface FileAttributes {
  /** Empty: as its origin calls it. */
  readonly filename: string;
  /** Permission bits; 0 means 0600. */
  readonly perm: number;
  readonly uid: number;
  readonly gid: number;
}

export const fileAttributeNames = ['http.filename', 'http.perm', 'http.uid', 'http.gid'] as const;

export const parseFileAttributes = (attrs: Attributes): FileAttributes => ({
  filename: filename(attrs),
  perm: goInteger(attrs, 'http.perm'),
  uid: goInteger(attrs, 'http.uid'),
  gid: goInteger(attrs, 'http.gid'),
});

/** BuildKit would follow a path out of the tree. */
function filename(attrs: Attributes): string {
  const text = attrs['http.filename'] ?? '';
  if (/[/\0]/.test(text) || text === '.' || text === '..') {
    throw badAttribute('http.filename', text, 'the name of a file');
  }
  return text;
}

/** An integer in Go's notations: `0644`, `0o644`, `0x1a4`, `420`. */
function goInteger(attrs: Attributes, name: string): number {
  const text = attrs[name] ?? '0';
  const octal = /^0([0-7]+)$/.exec(text)?.[1];
  const plain = /^(?:0[xob][0-9a-f]+|0|[1-9]\d*)$/i.test(text);
  const value = octal ? Number.parseInt(octal, 8) : plain ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw badAttribute(name, text, 'a number');
}
