/**
 * Which entries of a folder travel: include and exclude patterns, and paths whose symbolic links are followed, so that
 * what they lead to is included as well. BuildKit: fsutil filter.go, followlinks.go. Wire facts E3.8, E3.9.
 */
import fs from 'node:fs';
import { invalid } from '../contracts/errors.js';
import { compareBytes } from '../util/compare.js';
import { baseOf, cleanPath, dirOf, joinPath } from '../util/gofs/path.js';
import { errnoOf } from '../util/linux/system-error.js';
import { goMatch, hasWildcards } from '../util/patterns/go-match.js';
import { PatternMatcher } from '../util/patterns/pattern-matcher.js';

export interface FolderFilter {
  readonly includePatterns: readonly string[];
  readonly excludePatterns: readonly string[];
  readonly followPaths: readonly string[];
}

export interface FolderMatchers {
  readonly include: PatternMatcher | undefined;
  readonly exclude: PatternMatcher | undefined;
}

export function matchersFor(root: string, filter: FolderFilter): FolderMatchers {
  const include = includedPaths(root, filter);
  return {
    include: include.length > 0 ? matcher('includepatterns', include) : undefined,
    exclude:
      filter.excludePatterns.length > 0 ? matcher('excludepatterns', filter.excludePatterns) : undefined,
  };
}

function matcher(kind: string, patterns: readonly string[]): PatternMatcher {
  try {
    return new PatternMatcher(patterns);
  } catch (error) {
    throw invalid(
      'transfer.pattern',
      `invalid ${kind}: [${patterns.join(' ')}]: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

function includedPaths(root: string, filter: FolderFilter): readonly string[] {
  if (filter.followPaths.length === 0) return filter.includePatterns;
  const followed = new LinkFollower(root).follow(filter.followPaths);
  return followed ? (withoutNested([...filter.includePatterns, ...followed]) ?? []) : filter.includePatterns;
}

/** Drops what lies below its predecessor; undefined when one of the paths is the root. */
function withoutNested(paths: readonly string[]): readonly string[] | undefined {
  const kept: string[] = [];
  for (const path of paths) {
    if (path === '.') return undefined;
    const last = kept.at(-1);
    if (last === undefined || !path.startsWith(`${last}/`)) kept.push(path);
  }
  return kept;
}

class LinkFollower {
  readonly #root: string;
  readonly #resolved = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The paths and everything their links lead over, sorted; undefined when that is the whole folder. */
  follow(paths: readonly string[]): readonly string[] | undefined {
    for (const path of paths) this.#add(path);
    return withoutNested([...this.#resolved].sort(compareBytes));
  }

  #add(path: string): void {
    const parts = relative(path).split('/');
    let current = '.';
    for (const [index, part] of parts.entries()) {
      current = joinPath(current, part);
      const targets = this.#targets(current, true);
      const last = index === parts.length - 1;
      if (!last && !targets) continue;
      if (this.#resolved.has(current)) return;
      this.#resolved.add(current);
      const rest = parts.slice(index + 1).join('/');
      for (const target of targets ?? []) this.#add(joinPath(target, rest));
      return;
    }
  }

  /** Where a link (or every link that a wildcard matches) leads; undefined for what is no link. */
  #targets(path: string, wildcards: boolean): readonly string[] | undefined {
    const name = baseOf(path);
    if (wildcards && hasWildcards(name)) {
      const dir = dirOf(path);
      const links = this.#names(dir).filter((each) => matches(name, each));
      const targets = links.flatMap((each) => this.#targets(joinPath(dir, each), false) ?? []);
      return targets.length > 0 ? targets : undefined;
    }
    const link = this.#readLink(path);
    if (link === undefined) return undefined;
    return [link.startsWith('/') ? cleanPath(link) : cleanPath(`/${joinPath(dirOf(path), link)}`)];
  }

  #readLink(path: string): string | undefined {
    if (path === '.') return undefined;
    return unlessMissing(() => fs.readlinkSync(`${this.#root}/${path}`));
  }

  #names(dir: string): readonly string[] {
    return unlessMissing(() => fs.readdirSync(`${this.#root}/${dir}`)) ?? [];
  }
}

/** Relative to the root; `..` cannot lead above it. */
const relative = (path: string): string => cleanPath(`/${path}`).slice(1) || '.';

function matches(pattern: string, name: string): boolean {
  try {
    return goMatch(pattern, name);
  } catch {
    return false; // a malformed wildcard matches nothing
  }
}

function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    // EINVAL: no symbolic link.
    if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
