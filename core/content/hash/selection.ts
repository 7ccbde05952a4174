/**
 * What a path with wildcards, include or exclude patterns selects. Wire facts E4.7; BuildKit: cache/contenthash
 * includedPaths.
 *
 * 1. Files, links and directory headers are selected, never a directory's contents as such: something below it
 *    may be left out.
 * 2. The header of a directory that was not selected itself comes in just before the first thing below it that is.
 * 3. Patterns are matched against the path below the given one, or below what the wildcard matched.
 * 4. Links are resolved in the part before the first wildcard; selected paths keep the spelling that was asked for.
 */
import { joinPath } from '../../util/gofs/path.js';
import { compileGoMatch, type GoGlob, hasWildcards } from '../../util/patterns/go-match.js';
import { type MatchState, PatternMatcher } from '../../util/patterns/pattern-matcher.js';
import type { LayerTree } from '../../util/tree/layer-tree.js';
import { resolvePath } from '../../util/tree/resolve.js';
import type { TreeNode } from '../../util/tree/tree-node.js';

export interface SelectionOptions {
  readonly wildcard: boolean;
  readonly includePatterns: readonly string[];
  readonly excludePatterns: readonly string[];
}

export interface Selected {
  /** As it was asked for; empty for the root. */
  readonly path: string;
  readonly node: TreeNode;
  /** Nothing selected lies around it: a trailing link may be followed. */
  readonly outermost: boolean;
}
export interface Selection {
  /** Paths are hashed without it. */
  readonly prefix: string;
  readonly entries: readonly Selected[];
}

/** `path` is absolute and clean, the root is the empty string. The root's own header is never selected. */
export function select(tree: LayerTree, path: string, options: SelectionOptions): Selection {
  const prefix = options.wildcard ? fixedPart(path) : path;
  // The last link is followed only if the wildcards are below it.
  const followLast = options.wildcard && prefix !== path;
  const start = prefix === '' ? tree.root : resolvePath(tree, prefix, { followLast }).node;
  const walk = new SelectionWalk(tree, path, options);
  if (start) walk.visit(start, prefix, undefined);
  return { prefix, entries: walk.entries };
}

/** The path before its first component with a wildcard; all of it without any. */
function fixedPart(path: string): string {
  const parts = path.split('/');
  const first = parts.findIndex(hasWildcards);
  return first === -1 ? path : parts.slice(0, first).join('/');
}

/** A directory whose header was looked at. */
interface Header {
  readonly parent: Header | undefined;
  readonly selected: Selected;
  readonly matched: Matched;
  included: boolean;
}
interface Matched {
  readonly include: MatchState | undefined;
  readonly exclude: MatchState | undefined;
  /** The exclude patterns leave it out, and so all below it that no negation brings back. */
  readonly excluded: boolean;
}

class SelectionWalk {
  readonly entries: Selected[] = [];
  readonly #tree: LayerTree;
  readonly #glob: GoGlob | undefined;
  readonly #include: PatternMatcher | undefined;
  readonly #exclude: PatternMatcher | undefined;
  /** What the wildcard matched last, or the given path: patterns are relative to it. */
  #base: string;

  constructor(tree: LayerTree, path: string, options: SelectionOptions) {
    this.#tree = tree;
    this.#glob = options.wildcard && path !== '' ? compileGoMatch(path) : undefined;
    this.#include = matcherOf(options.includePatterns);
    this.#exclude = matcherOf(options.excludePatterns);
    this.#base = this.#glob ? '' : path;
  }

  visit(node: TreeNode, path: string, parent: Header | undefined): void {
    const header = this.#look(node, path, parent);
    if (node.kind !== 'dir') return;
    if (header && !this.#mayHoldSelected(path, header)) return;
    for (const child of this.#tree.children(node))
      this.visit(child, `${path}/${child.name}`, header ?? parent);
  }

  /** Selects the node if it is meant. Answers a directory's header, if it was looked at. */
  #look(node: TreeNode, path: string, parent: Header | undefined): Header | undefined {
    const isDir = node.kind === 'dir';
    if (path === '') return undefined;
    if (!this.#reached(path)) return undefined;
    const selected: Selected = { path, node, outermost: parent === undefined };
    const { included, matched } = this.#match(path, parent);
    const header: Header = { parent, selected, matched, included };
    if (included) {
      this.#includeHeaders(parent);
      this.entries.push(selected);
    }
    return isDir ? header : undefined;
  }

  /** Whether the wildcard matches here or matched above. */
  #reached(path: string): boolean {
    if (!this.#glob) return true;
    if (this.#base !== '' && path.startsWith(`${this.#base}/`)) return true;
    if (!this.#glob(path)) return false;
    this.#base = path;
    return true;
  }

  #match(path: string, parent: Header | undefined): { included: boolean; matched: Matched } {
    const relative = path.slice(this.#base.length + 1);
    const include = this.#include?.step(relative, parent?.matched.include);
    if (include && !include.matched) {
      return { included: false, matched: { include: include.state, exclude: undefined, excluded: false } };
    }
    const exclude = this.#exclude?.step(relative, parent?.matched.exclude);
    const excluded = exclude?.matched ?? false;
    return {
      included: !excluded,
      matched: { include: include?.state, exclude: exclude?.state, excluded },
    };
  }

  #includeHeaders(header: Header | undefined): void {
    if (!header || header.included) return;
    this.#includeHeaders(header.parent);
    header.included = true;
    this.entries.push(header.selected);
  }

  #mayHoldSelected(path: string, { matched }: Header): boolean {
    const relative = path.slice(this.#base.length + 1);
    if (relative === '') return true;
    const includedBelow =
      !this.#include || matched.include?.some(Boolean) || this.#include.mayIncludeBelow(relative);
    const keptBelow = !matched.excluded || this.#exclude?.mayNegateBelow(relative);
    return Boolean(includedBelow && keptBelow);
  }
}

const matcherOf = (patterns: readonly string[]): PatternMatcher | undefined =>
  patterns.length > 0 ? new PatternMatcher(patterns) : undefined;

/** For messages and for joining: the root is `/`. */
export const shownPath = (path: string): string => joinPath('/', path);
