/**
 * A list of patterns as .dockerignore and the include and exclude lists of copies and transfers have it, with
 * moby/patternmatcher's rules: the last pattern that matches a path or one of its parents decides, and `!` takes
 * back. Paths are relative, clean and `/`-separated.
 *
 * A walk goes from parents to children and hands what it learnt at the parent down, which saves matching
 * parents again, and asks `mayIncludeBelow` / `mayNegateBelow` before it skips a directory:
 *
 * ```ts
 * const { matched, state } = excludes.step('src/gen', parent);
 * if (matched && !excludes.mayNegateBelow('src/gen')) return; // skip the directory
 * ```
 */
import { Pattern } from './pattern.js';

/** Which patterns matched a directory or one of its parents; opaque to callers. */
export type MatchState = readonly boolean[];

export class PatternMatcher {
  readonly #patterns: readonly Pattern[];
  /** Any pattern starts with `!`. */
  readonly hasNegations: boolean;

  /** Blank patterns are dropped; a malformed one is a PatternError. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns
      .filter((pattern) => pattern.trim() !== '')
      .map((pattern) => new Pattern(pattern));
    this.hasNegations = this.#patterns.some((pattern) => pattern.negated);
  }

  /** Whether the path or one of its parents matches, all patterns taken in turn; the root `.` never does. */
  matches(path: string): boolean {
    return path !== '.' && this.step(path, undefined).matched;
  }

  /**
   * The same with the parent's state at hand. `parent` is undefined at the top, or when the parent was not looked
   * at; then the parents of `path` are matched too.
   */
  step(
    path: string,
    parent: MatchState | undefined,
  ): { readonly matched: boolean; readonly state: MatchState } {
    const state: boolean[] = [];
    const parents = parent ? [] : parentsOf(path);
    let matched = false;
    for (const [index, pattern] of this.#patterns.entries()) {
      let hit = parent?.[index] ?? false;
      // A pattern that cannot change the outcome is not tried, and so not handed down as matched either.
      if (!hit && pattern.negated === matched) {
        hit = pattern.matches(path) || parents.some((each) => pattern.matches(each));
      }
      state.push(hit);
      if (hit) matched = !pattern.negated;
    }
    return { matched, state };
  }

  /** False when no plain pattern can match below `dir`: an include walk may skip it unless it matched itself. */
  mayIncludeBelow(dir: string): boolean {
    return this.#patterns.some((pattern) => !pattern.negated && pattern.mayMatchBelow(dir));
  }

  /** False when no `!` pattern can match below `dir`: an exclude walk may skip the directory once it matched. */
  mayNegateBelow(dir: string): boolean {
    return (
      this.hasNegations && this.#patterns.some((pattern) => pattern.negated && pattern.mayMatchBelow(dir))
    );
  }
}

/** `a/b/c` has the parents `a` and `a/b`. */
function parentsOf(path: string): readonly string[] {
  const parents: string[] = [];
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    parents.push(path.slice(0, slash));
  }
  return parents;
}
