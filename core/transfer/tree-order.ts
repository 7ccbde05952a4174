/**
 * What a receiver demands of a sender's list, so that nothing can be written outside the destination (wire facts
 * E3.4, E3.7):
 *
 * 1. Paths are relative, clean and below the root.
 * 2. Names ascend within a directory, and a directory stands before what is in it. So no entry lies below a
 *    symbolic link, and none comes twice.
 * 3. A hard link names an earlier file of the same list.
 * 4. Sizes are counts: what is held in memory is limited by their sum.
 */
import { invalid } from '../contracts/errors.js';
import type { FileStat } from '../contracts/refs.js';
import { isGoDir, isGoSymlink } from '../util/gofs/mode.js';
import { cleanPath } from '../util/gofs/path.js';
import { comparePaths } from './path-order.js';

export class TreeOrder {
  /** The directories that are open, from the root down, each with the last name seen in it. */
  readonly #open: { readonly dir: string; last: string }[] = [{ dir: '', last: '' }];
  readonly #files = new Set<string>();

  check(stat: FileStat): void {
    const { path } = stat;
    checkPath(path);
    if (stat.size < 0) throw invalid('transfer.size', `${quote(path)} has a negative size: ${stat.size}`);
    const slash = path.lastIndexOf('/');
    const dir = slash < 0 ? '' : path.slice(0, slash);
    const name = path.slice(slash + 1);
    while (this.#open.length > 1 && this.#open.at(-1)!.dir !== dir) this.#open.pop();
    const parent = this.#open.at(-1)!;
    if (parent.dir !== dir || (parent.last !== '' && comparePaths(parent.last, name) >= 0)) {
      throw invalid('transfer.order', `changes out of order: ${quote(path)} after ${quote(parent.last)}`);
    }
    parent.last = name;
    if (isGoDir(stat.mode)) this.#open.push({ dir: path, last: '' });
    else if (!isGoSymlink(stat.mode)) this.#checkLink(stat);
  }

  #checkLink({ path, linkname }: FileStat): void {
    if (linkname === '') this.#files.add(path);
    else if (!this.#files.has(linkname)) {
      throw invalid('transfer.link', `invalid link ${quote(path)} to unknown path: ${quote(linkname)}`);
    }
  }
}

const quote = (path: string): string => JSON.stringify(path);

function checkPath(path: string): void {
  const problem = path.startsWith('/')
    ? 'absolute path'
    : path === '..' || path.startsWith('../')
      ? 'escape check'
      : path === '.' || path !== cleanPath(path) || path.includes('\0')
        ? 'unclean path'
        : undefined;
  if (problem) throw invalid('transfer.path', `${problem} ${quote(path)}: invalid argument`);
}
