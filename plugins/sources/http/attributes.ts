import { invalid } from '../../../core/contracts/errors.js';
import type { SourceRequest } from '../../../core/contracts/source.js';
import { type Digest, isDigest } from '../../../core/util/digest.js';
import { type Attributes, badAttribute, refuseUnknown } from '../shared/attributes.js';

/** What an `http://` or `https://` op asks for. BuildKit: source/http/identifier.go. */
export interface HttpRequest {
  readonly url: string;
  readonly checksum: Digest | undefined;
  /** Empty: as the server or the URL calls it. */
  readonly filename: string;
  /** Permission bits; 0 means 0600. */
  readonly perm: number;
  readonly uid: number;
  readonly gid: number;
  /** Empty: those that are named after the host. */
  readonly authHeaderSecret: string;
  /** Sorted by name, written as Go writes header names. */
  readonly headers: readonly HeaderField[];
}

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

const known = [
  'http.checksum',
  'http.filename',
  'http.perm',
  'http.uid',
  'http.gid',
  'http.authheadersecret',
  'http.header.accept',
  'http.header.user-agent',
];

export function parseHttpRequest({ scheme, name, attrs }: SourceRequest): HttpRequest {
  const lower = Object.fromEntries(Object.entries(attrs).map(([key, value]) => [lowerHeader(key), value]));
  refuseUnknown(scheme, lower, known);
  return {
    url: checkUrl(`${scheme}://${name}`),
    checksum: checksum(lower),
    filename: filename(lower),
    perm: goInteger(lower, 'http.perm'),
    uid: goInteger(lower, 'http.uid'),
    gid: goInteger(lower, 'http.gid'),
    authHeaderSecret: lower['http.authheadersecret'] ?? '',
    headers: [header(lower, 'Accept'), header(lower, 'User-Agent')].flat(),
  };
}

/** Header names are written in any case. */
const lowerHeader = (key: string): string => (key.startsWith('http.header.') ? key.toLowerCase() : key);

function header(attrs: Attributes, name: string): readonly HeaderField[] {
  const attr = `http.header.${name.toLowerCase()}`;
  const value = attrs[attr];
  if (value === undefined) return [];
  if (/[\r\n\0]/.test(value)) throw badAttribute(attr, value, 'one line');
  return [{ name, value }];
}

function checkUrl(url: string): string {
  if (URL.canParse(url) && !/[\s\0]/.test(url)) return url;
  throw invalid('http.url', `"${url}" is not a URL`);
}

function checksum(attrs: Attributes): Digest | undefined {
  const text = attrs['http.checksum'] ?? '';
  if (text === '') return undefined;
  if (isDigest(text) && text.startsWith('sha256:')) return text;
  throw badAttribute('http.checksum', text, 'sha256: and 64 hex digits');
}

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
  const value = octal
    ? Number.parseInt(octal, 8)
    : /^(?:0[xob])?[0-9a-f]+$/i.test(text)
      ? Number(text)
      : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw badAttribute(name, text, 'a number');
}
