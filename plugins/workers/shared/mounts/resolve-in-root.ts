/**
 * Paths inside a tree, with the tree as the root of every link: what a process chrooted into it would see. Only for
 * trees that nobody else writes meanwhile; `selectPath` is for those that are shared.
 * BuildKit: continuity/fs.RootPath.
 */
import fs from 'node:fs';
import { BuildError } from '../../../../core/contracts/errors.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';

export interface ResolvedPath {
  /** Absolute in the tree, free of links and dots, as far as it exists. */
  readonly path: string;
  readonly exists: boolean;
}

/** As many as BuildKit follows. */
const MAX_LINKS = 255;

/** Follows links in every component, the last one too. What does not exist is taken literally. */
export function resolveInRoot(root: string, path: string): ResolvedPath {
  const rest = components(path);
  const done: string[] = [];
  let exists = true;
  for (let links = 0; rest.length > 0; ) {
    const name = rest.shift()!;
    if (name === '..') {
      done.pop();
      exists = true;
      continue;
    }
    done.push(name);
    const kind: Kind = exists ? kindOf(hostPath(root, `/${done.join('/')}`)) : 'missing';
    exists = kind !== 'missing';
    if (kind !== 'link') continue;
    if (++links > MAX_LINKS) throw new BuildError('exec.links', `too many links in ${path}`);
    const target = fs.readlinkSync(hostPath(root, `/${done.join('/')}`));
    done.pop();
    if (target.startsWith('/')) done.length = 0;
    rest.unshift(...components(target));
  }
  return { path: `/${done.join('/')}`, exists };
}

/** Where a resolved path of the tree lies for this process. */
export const hostPath = (root: string, path: string): string => (path === '/' ? root : `${root}${path}`);

export const components = (path: string): string[] =>
  path.split('/').filter((name) => name !== '' && name !== '.');

/** Clean and absolute, links left as they are. */
export function absolute(path: string): string {
  const done: string[] = [];
  for (const name of components(path)) {
    if (name === '..') done.pop();
    else done.push(name);
  }
  return `/${done.join('/')}`;
}

type Kind = 'link' | 'other' | 'missing';

function kindOf(path: string): Kind {
  try {
    return fs.lstatSync(path).isSymbolicLink() ? 'link' : 'other';
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'missing';
    throw error;
  }
}
