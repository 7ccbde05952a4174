import { syntaxError } from '../located.js';
import { asHeredocStart, chompTabs } from '../parse/heredoc.js';
import type { Node } from '../parse/node.js';
import { parseFlags } from './flags.js';
import type { Add, Copy, CopySpec, InlineFile } from './types.js';

type Parsed<T> = Omit<T, 'kind' | 'code' | 'keyword' | 'ranges'>;

const shared = { chown: 'string', chmod: 'string', link: 'bool', exclude: 'strings' } as const;
const copyFlags = { ...shared, from: 'string', parents: 'bool' } as const;
const addFlags = { ...shared, 'keep-git-dir': 'bool', checksum: 'string', unpack: 'bool' } as const;

export function parseCopy(node: Node): Parsed<Copy> {
  atLeastTwo(node, 'COPY');
  const flags = parseFlags(node.flags, copyFlags);
  const { sources, files, dest, chown, chmod, link, excludes } = copySpec(node, 'COPY', flags);
  // Written out: most Dockerfiles have many of these.
  return {
    sources,
    files,
    dest,
    chown,
    chmod,
    link,
    excludes,
    from: flags.from || undefined,
    parents: flags.parents ?? false,
  };
}

export function parseAdd(node: Node): Parsed<Add> {
  atLeastTwo(node, 'ADD');
  const flags = parseFlags(node.flags, addFlags);
  return {
    ...copySpec(node, 'ADD', flags),
    unpack: flags.unpack,
    keepGitDir: flags['keep-git-dir'],
    checksum: flags.checksum ?? '',
  };
}

function atLeastTwo({ args }: Node, keyword: string): void {
  if (args.length >= 2) return;
  throw syntaxError(
    `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
  );
}

interface CopyFlags {
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean | undefined;
  readonly exclude: readonly string[];
}

function copySpec(node: Node, keyword: string, flags: CopyFlags): CopySpec {
  const last = node.args.length - 1;
  const dest = node.args[last] ?? '';
  if (asHeredocStart(dest)) throw syntaxError(`${keyword} cannot accept a heredoc as a destination`);
  const sources: string[] = [];
  const files: InlineFile[] = [];
  for (let at = 0; at < last; at++) {
    const source = node.args[at]!;
    const file = inlineFile(source, node);
    if (file) files.push(file);
    else sources.push(source);
  }
  const { chown = '', chmod = '', link = false, exclude } = flags;
  return { sources, files, dest, chown, chmod, link, excludes: exclude };
}

function inlineFile(source: string, { heredocs }: Node): InlineFile | undefined {
  const start = asHeredocStart(source);
  if (!start) return undefined;
  const content = heredocs.findLast(({ name }) => name === start.name)?.content ?? '';
  return { name: start.name, content: start.chomp ? chompTabs(content) : content, expand: start.expand };
}
