/**
 * Git repositories as they are written for contexts and for ADD: `https://host/x.git#ref:dir`, `git@host:x`, or with
 * a query (`?tag=v1&subdir=x`). BuildKit: frontend/dockerfile/dfgitutil/git_ref.go, util/gitutil/git_url.go.
 */
import { type GitOptions, git, type State } from '../../../client/llb/index.js';
import { type BuildError, invalid } from '../../../core/contracts/errors.js';
import { parseGoBool } from '../../../core/util/go-bool.js';
import { goQuote } from '../../../core/util/go-quote.js';
import { suggestion } from './instructions/flags.js';

export interface GitRef {
  /** For git itself: without query and fragment. */
  readonly remote: string;
  readonly ref: string;
  readonly subdir: string;
  /** The commit that the ref must be. */
  readonly checksum: string;
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean | undefined;
  /** `github.com/a/b`, which may as well be a path: a repository only where no path can stand. */
  readonly looksLocal: boolean;
}

interface Parts {
  readonly remote: string;
  readonly query: URLSearchParams;
  readonly fragment: string;
}

/** Undefined for what is no repository. A repository with a query that makes no sense is an error. */
export function parseGitRef(text: string): GitRef | undefined {
  const looksLocal = text.startsWith('github.com/');
  const parts = looksLocal ? split(text) : parseRemote(text);
  if (!parts) return undefined;
  const colon = parts.fragment.indexOf(':');
  const fragment = {
    ref: colon < 0 ? parts.fragment : parts.fragment.slice(0, colon),
    subdir: colon < 0 ? '' : parts.fragment.slice(colon + 1),
  };
  return { remote: parts.remote, looksLocal, ...readQuery(parts.query, fragment) };
}

export const gitOptions = (from: Omit<GitRef, 'remote' | 'looksLocal'>): GitOptions => ({
  ref: from.ref,
  subdir: from.subdir,
  checksum: from.checksum,
  keepGitDir: from.keepGitDir ?? false,
  skipSubmodules: from.submodules === false,
});

/** A context that is a repository; undefined when `text` names none. `keepGitDir` adds to what the text says. */
export function gitContext(text: string, keepGitDir = false): State | undefined {
  const parsed = parseGitRef(text);
  if (!parsed) return undefined;
  const options = gitOptions({ ...parsed, keepGitDir: parsed.keepGitDir || keepGitDir });
  return git(parsed.remote, { ...options, name: `[internal] load git source ${text}` });
}

function parseRemote(text: string): Parts | undefined {
  const [, scheme] = /^([a-zA-Z0-9]+):\/\//.exec(text) ?? [];
  if (scheme === undefined) return parseScpStyle(text);
  const protocol = scheme.toLowerCase();
  if (!['http', 'https', 'ssh', 'git'].includes(protocol)) return undefined;
  const parts = split(`${protocol}${text.slice(scheme.length)}`);
  if (!hasGoodPort(parts.remote)) return undefined;
  // On the web, only what ends in .git is a repository.
  return protocol.startsWith('http') && !parts.remote.endsWith('.git') ? undefined : parts;
}

const hasGoodPort = (url: string): boolean => {
  const [, host = ''] = /^[^/]*\/\/(?:[^/]*@)?([^/]*)/.exec(url) ?? [];
  return /^(?:\[[^\]]*\]|[^:]*)(?::\d*)?$/.test(host);
};

/** `user@host:path`, where the path may have a query and a fragment of its own. */
function parseScpStyle(text: string): Parts | undefined {
  const match = /^([a-zA-Z0-9-_]+@[a-zA-Z0-9-.]+:.*?)(?:\?(.*?))?(?:#(.*))?$/.exec(text);
  if (!match) return undefined;
  const [, remote = '', query = '', fragment = ''] = match;
  return { remote, query: new URLSearchParams(query), fragment };
}

function split(url: string): Parts {
  const [, remote = '', query = '', fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(url) ?? [];
  return { remote, query: new URLSearchParams(query), fragment: decode(fragment) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

type Choice = Omit<GitRef, 'remote' | 'looksLocal'>;
const keys = ['ref', 'tag', 'branch', 'subdir', 'checksum', 'commit', 'keep-git-dir', 'submodules'] as const;

function readQuery(query: URLSearchParams, fragment: Pick<GitRef, 'ref' | 'subdir'>): Choice {
  const values = new Map([...new Set(query.keys())].map((key) => [key, oneValue(query, key)]));
  const text = (key: (typeof keys)[number]): string => values.get(key) ?? '';
  return {
    ref: chooseRef(fragment.ref, text('ref'), text('tag'), text('branch')),
    subdir: agree('subdir', fragment.subdir, text('subdir')),
    checksum: text('commit') || text('checksum'),
    keepGitDir: readSwitch('keep-git-dir', values.get('keep-git-dir')),
    submodules: readSwitch('submodules', values.get('submodules')),
  };
}

function oneValue(query: URLSearchParams, key: string): string {
  const [value = '', ...more] = query.getAll(key);
  if (more.length > 0) throw badGit(`query ${goQuote(key)} has multiple values`);
  if (value === '' && key !== 'submodules' && key !== 'keep-git-dir') {
    throw badGit(`query ${goQuote(key)} has no value`);
  }
  if (!keys.some((known) => known === key)) {
    throw badGit(`unexpected query ${goQuote(key)}${suggestion(key, keys)}`);
  }
  return value;
}

function chooseRef(fragment: string, ref: string, tag: string, branch: string): string {
  const plain = agree('ref', fragment, ref);
  const tagged = agree('ref', plain, tag && below('refs/tags/', tag));
  if (tag && branch) throw badGit('branch conflicts with tag');
  return agree('ref', tagged, branch && below('refs/heads/', branch));
}

const below = (prefix: string, name: string): string => (name.startsWith(prefix) ? name : prefix + name);

function agree(what: string, first: string, second: string): string {
  if (first && second && first !== second) {
    throw badGit(`${what} conflicts: ${goQuote(first)} vs ${goQuote(second)}`);
  }
  return second || first;
}

/** Named without a value, a switch is on. */
function readSwitch(key: string, value: string | undefined): boolean | undefined {
  if (value === undefined || value === '') return value === undefined ? undefined : true;
  const on = parseGoBool(value);
  if (on === undefined) throw badGit(`invalid ${key} value: ${goQuote(value)}`);
  return on;
}

const badGit = (message: string): BuildError => invalid('dockerfile.git', message);
