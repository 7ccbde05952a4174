/**
 * A folder of the client's as it travels: filtered, owned by root, links within it kept. BuildKit: fsutil filter.go,
 * hardlinks.go, stat_unix.go; wire facts E3.9.
 */
import fs from 'node:fs';
import type { FileStat } from '../contracts/refs.js';
import { compareBytes } from '../util/compare.js';
import { goMode, goModeOf, isGoFile } from '../util/gofs/mode.js';
import { deviceMajor, deviceMinor } from '../util/linux/nodes.js';
import { isErrno } from '../util/linux/system-error.js';
import { getXattr, listXattrs } from '../util/linux/xattr.js';
import type { MatchState } from '../util/patterns/pattern-matcher.js';
import { type FolderFilter, type FolderMatchers, matchersFor } from './folder-filter.js';
import type { SourceEntry, TreeSource } from './tree-source.js';

/** A directory on the way down. */
interface Dir {
  readonly path: string;
  readonly include: MatchState | undefined;
  readonly exclude: MatchState | undefined;
  readonly parent: Dir | undefined;
  /** Whether the list has it: excluded directories appear only once something inside is included. */
  listed: boolean;
}

export class FolderSource implements TreeSource {
  readonly #root: string;
  readonly #matchers: FolderMatchers;
  /** First listed path of files with several names, by device and inode. */
  readonly #inodes = new Map<string, string>();

  constructor(root: string, filter: FolderFilter) {
    this.#root = root;
    this.#matchers = matchersFor(root, filter);
  }

  entries(): Generator<SourceEntry, void, undefined> {
    return this.#walk({ path: '', include: undefined, exclude: undefined, parent: undefined, listed: true });
  }

  *#walk(dir: Dir): Generator<SourceEntry, void, undefined> {
    for (const name of sortNames(this.#names(dir))) {
      const path = dir.path === '' ? name : `${dir.path}/${name}`;
      const raw = fs.lstatSync(this.#at(path), { bigint: true, throwIfNoEntry: false });
      if (!raw) continue;
      const isDir = raw.isDirectory();
      const { verdict, include, exclude } = this.#judge(path, isDir, dir);
      if (verdict === 'skip') continue;
      if (verdict === 'take') {
        yield* this.#unlistedParents(dir);
        yield this.#entry(path, raw);
      }
      if (isDir) yield* this.#walk({ path, include, exclude, parent: dir, listed: verdict === 'take' });
    }
  }

  /** `look`: not listed itself, but something below it may be. */
  #judge(
    path: string,
    isDir: boolean,
    parent: Dir,
  ): {
    readonly verdict: 'take' | 'look' | 'skip';
    readonly include: MatchState | undefined;
    readonly exclude: MatchState | undefined;
  } {
    const { include, exclude } = this.#matchers;
    const included = include?.step(path, parent.include);
    const excluded = exclude?.step(path, parent.exclude);
    const states = { include: included?.state, exclude: excluded?.state };
    const outside = included?.matched === false;
    const out = outside || excluded?.matched === true;
    if (!out) return { verdict: 'take', ...states };
    const closed =
      !isDir ||
      (outside && !include!.mayIncludeBelow(path)) ||
      (excluded?.matched === true && !exclude!.mayNegateBelow(path));
    return { verdict: closed ? 'skip' : 'look', ...states };
  }

  *#unlistedParents(dir: Dir): Generator<SourceEntry, void, undefined> {
    if (dir.listed) return;
    if (dir.parent) yield* this.#unlistedParents(dir.parent);
    dir.listed = true;
    yield this.#entry(dir.path, fs.lstatSync(this.#at(dir.path), { bigint: true }));
  }

  #names(dir: Dir): string[] {
    try {
      return fs.readdirSync(this.#at(dir.path));
    } catch (error) {
      // Gone meanwhile, or closed to us and not wanted.
      if (isErrno(error, 'ENOENT', 'ENOTDIR') && dir.path !== '') return [];
      if (isErrno(error, 'EACCES') && !dir.listed) return [];
      throw error;
    }
  }

  #entry(path: string, raw: fs.BigIntStats): SourceEntry {
    const at = this.#at(path);
    const isLink = raw.isSymbolicLink();
    const isDevice = raw.isCharacterDevice() || raw.isBlockDevice();
    const stat: FileStat = {
      path,
      // A socket travels as an empty file, which BuildKit makes of it too.
      mode: (goModeOf(Number(raw.mode)) & ~goMode.socket) >>> 0,
      uid: 0,
      gid: 0,
      size: raw.isDirectory() ? 0 : Number(raw.size),
      modTime: raw.mtimeNs,
      linkname: isLink ? fs.readlinkSync(at) : this.#earlierName(path, raw),
      devmajor: isDevice ? deviceMajor(raw.rdev) : 0,
      devminor: isDevice ? deviceMinor(raw.rdev) : 0,
      xattrs: readXattrs(at),
    };
    return isGoFile(stat.mode) && stat.linkname === '' ? { stat, content: at } : { stat };
  }

  #earlierName(path: string, raw: fs.BigIntStats): string {
    if (raw.nlink < 2n || raw.isDirectory()) return '';
    const key = `${raw.dev}:${raw.ino}`;
    const first = this.#inodes.get(key);
    if (first === undefined) this.#inodes.set(key, path);
    return first ?? '';
  }

  #at(path: string): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }
}

const ascii = /^[ -~]*$/;
function sortNames(names: string[]): string[] {
  return names.every((name) => ascii.test(name)) ? names.sort() : names.sort(compareBytes);
}

const noXattrs: FileStat['xattrs'] = {};
function readXattrs(path: string): FileStat['xattrs'] {
  const names = listXattrs(path).filter((name) => !name.startsWith('com.apple.'));
  if (names.length === 0) return noXattrs;
  const found = names.map((name) => [name, getXattr(path, name)] as const);
  return Object.fromEntries(found.filter((pair): pair is [string, Uint8Array] => pair[1] !== undefined));
}
