import { invalid } from '../../../core/contracts/errors.js';
import type { SourceRequest } from '../../../core/contracts/source.js';
import { type Digest, isDigest } from '../../../core/util/digest.js';
import { type Attributes, badAttribute, refuseUnknown } from '../shared/attributes.js';
import { type FileAttributes, fileAttributeNames, parseFileAttributes } from '../shared/file-attributes.js';

/** What an `http://` or `https://` op asks for. BuildKit: source/http/identifier.go. */
export interface HttpRequest extends FileAttributes {
  readonly url: string;
  readonly checksum: Digest | undefined;
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
  ...fileAttributeNames,
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
    ...parseFileAttributes(lower),
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
