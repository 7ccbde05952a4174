import { cleanPath, joinPath } from '../../core/util/gofs/path.js';
import type { FileStep } from './file-action.js';
import type { OwnerOptions } from './file-options.js';
import type { OpMessage } from './op-message.js';

type FileActionMessage = NonNullable<NonNullable<OpMessage['file']>['actions']>[number];
type OwnerMessage = NonNullable<NonNullable<FileActionMessage['mkdir']>['owner']>;
type UserMessage = NonNullable<OwnerMessage['user']>;

/** An action as a message; `dir` is where relative paths start, `base` the input that owners are looked up in. */
export function fileActionMessage(step: FileStep, dir: string, base: number): FileActionMessage {
  switch (step.kind) {
    case 'mkdir':
      return {
        mkdir: {
          path: inTree(dir, step.path),
          mode: step.mode & 0o777,
          makeParents: step.options.makeParents ?? false,
          ...made(step.options, base),
        },
      };
    case 'mkfile':
      return {
        mkfile: {
          path: inTree(dir, step.path),
          mode: step.mode & 0o777,
          data: step.data,
          ...made(step.options, base),
        },
      };
    case 'symlink':
      return { symlink: { oldpath: step.target, newpath: step.path, ...made(step.options, base) } };
    case 'rm':
      return {
        rm: {
          path: inTree(dir, step.path),
          allowNotFound: step.options.allowNotFound ?? false,
          allowWildcard: step.options.allowWildcard ?? false,
        },
      };
    case 'copy':
      return {
        copy: copyMessage(step, dir, base),
      };
  }
  return step satisfies never;
}

/** No spreads: they cost more than all the rest of it. */
function copyMessage(
  step: Extract<FileStep, { kind: 'copy' }>,
  dir: string,
  base: number,
): NonNullable<FileActionMessage['copy']> {
  const { options } = step;
  return {
    src: sourcePath(step),
    dest: inTree(dir, step.dest, true),
    owner: options.owner === undefined ? undefined : ownerMessage(options.owner, base),
    mode: typeof options.mode === 'string' ? 0 : (options.mode ?? -1),
    modeStr: typeof options.mode === 'string' ? options.mode : '',
    timestamp: nanoseconds(options.created),
    includePatterns: options.includePatterns ?? [],
    excludePatterns: options.excludePatterns ?? [],
    requiredPaths: options.requiredPaths ?? [],
    followSymlink: options.followSymlinks ?? false,
    dirCopyContents: options.contentsOnly ?? false,
    attemptUnpackDockerCompatibility: options.unpack ?? false,
    createDestPath: options.createDestPath ?? false,
    allowWildcard: options.allowWildcard ?? false,
    allowEmptyWildcard: options.allowEmptyWildcard ?? false,
    alwaysReplaceExistingDestPaths: options.replaceExisting ?? false,
  };
}

function sourcePath({ from, source }: Extract<FileStep, { kind: 'copy' }>): string {
  const { settings } = 'action' in from ? from.state : from;
  const clean = cleanPath(source);
  return joinPath(clean.startsWith('/') ? '/' : settings.dir, clean);
}

/** Absolute and clean. A destination keeps `/` or `/.` at its end: they say that it is a directory. */
function inTree(dir: string, path: string, keepSlash = false): string {
  const clean = cleanPath(path);
  const absolute = clean.startsWith('/') ? clean : joinPath('/', dir, clean);
  if (!keepSlash) return absolute;
  const asDir = absolute.endsWith('/') ? absolute : `${absolute}/`;
  if (path.endsWith('/')) return asDir;
  return path.endsWith('/.') ? `${asDir}.` : absolute;
}

function made(
  { owner, created }: OwnerOptions,
  base: number,
): { owner?: OwnerMessage; timestamp: ReturnType<typeof nanoseconds> } {
  return {
    timestamp: nanoseconds(created),
    ...(owner === undefined ? {} : { owner: ownerMessage(owner, base) }),
  };
}

/** -1 stands for the time of the build. Exact for whole seconds, which is all that reproducible builds use. */
const nanoseconds = (time: Date | undefined): number => (time === undefined ? -1 : time.getTime() * 1e6);

function ownerMessage(owner: NonNullable<OwnerOptions['owner']>, base: number): OwnerMessage {
  if (typeof owner === 'object') return { user: { byID: owner.uid }, group: { byID: owner.gid } };
  const colon = owner.indexOf(':');
  if (colon < 0) return { user: userMessage(owner, base) };
  return { user: userMessage(owner.slice(0, colon), base), group: userMessage(owner.slice(colon + 1), base) };
}

/** `root` is 0 whatever the tree says. An empty name counts as 0 too, as in BuildKit. */
function userMessage(name: string, base: number): UserMessage {
  if (name === 'root' || name === '') return { byID: 0 };
  const id = /^[+-]?\d+$/.test(name) ? Number(name) : undefined;
  return id !== undefined && Math.abs(id) <= 0x7fffffff
    ? { byID: id >>> 0 }
    : { byName: { name, input: base } };
}
