/**
 * Remotes as BuildKit's identifiers and attributes write them: URLs of four protocols, `user@host:path`, or either
 * without `https://`. BuildKit: util/gitutil/git_url.go, util/sshutil.
 */
import { invalid } from '../../../core/contracts/errors.js';

export interface GitRemote {
  /** What git is given. */
  readonly url: string;
  /** With its port. */
  readonly host: string;
  readonly ssh: boolean;
}

export interface GitIdentifier {
  readonly remote: GitRemote;
  readonly ref: string;
  readonly subdir: string;
}

const protocols = ['http', 'https', 'ssh', 'git'];
const scpStyle = /^([a-zA-Z0-9-_]+)@([a-zA-Z0-9-.]+):(.*?)(?:\?(.*?))?(?:#(.*))?$/s;
const urlStyle = /^([a-zA-Z0-9]+):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

const protocolOf = (text: string): string | undefined =>
  /^([a-zA-Z0-9]+):\/\//.exec(text)?.[1]?.toLowerCase();

/** BuildKit: IsGitTransport. */
export function isGitTransport(text: string): boolean {
  const protocol = protocolOf(text);
  return protocol === undefined ? scpStyle.test(text) : protocols.includes(protocol);
}

/** What stands after `git://`: `host/path#ref:subdir`. */
export function parseIdentifier(name: string): GitIdentifier {
  const { remote, query, fragment } = split(isGitTransport(name) ? name : `https://${name}`);
  if (query) {
    throw invalid('git.remote', `git://${name}: a git source takes no query; write #<ref>:<subdir>`);
  }
  const [ref, subdir] = cut(fragment, ':');
  return { remote, ref, subdir };
}

/** The attribute `git.fullurl`. Without a transport it is meant to be https. */
export function parseFullUrl(value: string): GitRemote {
  const url = isGitTransport(value) ? value : `https://${value}`;
  return { ...split(url).remote, url };
}

interface Parts {
  readonly remote: GitRemote;
  readonly query: string;
  readonly fragment: string;
}

function split(text: string): Parts {
  const scp = protocolOf(text) === undefined ? scpStyle.exec(text) : undefined;
  if (scp) {
    const [, user, host = '', path, query = '', fragment = ''] = scp;
    return { remote: { url: `${user}@${host}:${path}`, host, ssh: true }, query, fragment };
  }
  const url = urlStyle.exec(text);
  const host = url?.[2]?.replace(/^.*@/, '') ?? '';
  if (!url || host === '' || host.startsWith('-')) throw notRemote(text);
  const [, scheme = '', authority, path = '', query = '', fragment = ''] = url;
  const protocol = scheme.toLowerCase();
  const remote = { url: `${protocol}://${authority}${escaped(path)}`, host, ssh: protocol === 'ssh' };
  return { remote, query, fragment: decoded(fragment, text) };
}

/** What may not stand in a path as it is. */
const escaped = (path: string): string => path.replace(/[^!-~]|["<>\\^`{|}]/gu, encodeURIComponent);

function decoded(fragment: string, text: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    throw notRemote(text);
  }
}

const notRemote = (text: string): Error =>
  invalid('git.remote', `"${text}" is no git remote: expected <host>/<path>#<ref>:<subdir>`);

function cut(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
