/**
 * Image references: `[domain/]path[:tag][@digest]`, with Docker's short forms.
 * Grammar: distribution/reference.
 */
import { type Digest, isDigest } from './digest.js';

export interface ImageReference {
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const alphanumeric = '[a-z0-9]+';
const pathComponent = `${alphanumeric}(?:(?:[._]|__|[-]+)${alphanumeric})*`;
const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const host = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])`;
const domain = `${host}(?::[0-9]+)?`;
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const grammar = new RegExp(
  `^(${domain})/(${pathComponent}(?:/${pathComponent})*)(?::([A-Za-z0-9_][\\w.-]{0,127}))?(?:@(${digest}))?$`,
);
const bareId = /^[a-f0-9]{64}$/;

/** Parses a reference and fills in `docker.io` and `library/`; no tag is added (see {@link withDefaultTag}). */
export function parseImageReference(text: string): ImageReference {
  if (bareId.test(text)) {
    throw new Error(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const [domainPart, rest] = splitDomain(text);
  const remote = rest.split(':', 1)[0] ?? '';
  if (remote !== remote.toLowerCase()) {
    throw new Error(`invalid reference format: repository name (${remote}) must be lowercase`);
  }
  const match = grammar.exec(`${domainPart}/${rest}`);
  if (!match) throw new Error('invalid reference format');
  const [, domainName, path, tag, digestText] = match as unknown as [
    string,
    string,
    string,
    string?,
    string?,
  ];
  if (digestText !== undefined && !isDigest(digestText)) {
    throw new Error(`invalid checksum digest format: "${digestText}"`);
  }
  return {
    domain: domainName,
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(digestText === undefined ? {} : { digest: digestText }),
  };
}

/** Adds `:latest` to a reference that has neither tag nor digest. */
export const withDefaultTag = (reference: ImageReference): ImageReference =>
  reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;

export const formatImageReference = ({ domain, path, tag, digest }: ImageReference): string =>
  `${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;

/** The short form people write: `busybox:1` for `docker.io/library/busybox:1`. */
export function familiarImageReference(reference: ImageReference): string {
  const full = formatImageReference(reference);
  if (reference.domain !== 'docker.io') return full;
  return full.replace(/^docker\.io\//, '').replace(/^library\/(?!.*\/)/, '');
}

function splitDomain(name: string): [domain: string, rest: string] {
  const slash = name.indexOf('/');
  if (slash < 0) return ['docker.io', `library/${name}`];
  const first = name.slice(0, slash);
  const rest = name.slice(slash + 1);
  if (!isDomain(first)) return ['docker.io', name];
  if (first !== 'docker.io' && first !== 'index.docker.io') return [first, rest];
  return ['docker.io', rest.includes('/') ? rest : `library/${rest}`];
}

const isDomain = (first: string): boolean =>
  first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
