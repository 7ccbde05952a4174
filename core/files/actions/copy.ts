import { BuildError, invalid, notFound } from '../../contracts/errors.js';
import type { FileAction } from '../../contracts/files.js';
import { baseOf, dirOf, joinPath, rootedPath } from '../../util/gofs/path.js';
import { hasWildcards } from '../../util/patterns/go-match.js';
import { PatternMatcher } from '../../util/patterns/pattern-matcher.js';
import { FilePlacer, type ModeChange } from '../../util/tree/file-placer.js';
import { LayerTree } from '../../util/tree/layer-tree.js';
import type { LayerWriter } from '../../util/tree/layer-writer.js';
import type { Owner } from '../../util/tree/metadata.js';
import { resolvePath } from '../../util/tree/resolve.js';
import type { TreeNode } from '../../util/tree/tree-node.js';
import { noSuchFile } from '../errors.js';
import { makeDirs, type NewDirOptions, restoreTimes } from '../make-dirs.js';
import { parseModeChange } from '../mode-changes.js';
import { type CopyRules, TreeCopier } from '../tree-copier.js';
import { unpackArchive } from '../unpack.js';
import { resolveSource, resolveWildcards } from '../wildcards.js';

type CopyAction = Extract<FileAction, { kind: 'copy' }>;

export interface CopyContext {
  readonly writer: LayerWriter;
  readonly owner: Owner | undefined;
  /** Layers of the tree to copy from; none is scratch. */
  readonly source: readonly string[];
  readonly immutableSource: boolean;
  /** Inodes that earlier actions linked into the target, see FilePlacer; this action adds its own. */
  readonly linked: Set<number>;
  readonly checkpoint: () => void;
}

/** BuildKit: solver/llbsolver/file/backend.go docopy. */
export async function copy(action: CopyAction, context: CopyContext): Promise<void> {
  const source = new LayerTree(context.source);
  if (!action.createDestPath) requireDestParent(action, context.writer.tree);
  const copied: string[] = [];
  const job = new CopyJob(action, source, context, (path) => copied.push(path));
  for (const path of findSources(action, source)) {
    const unpacked =
      action.attemptUnpack && (await unpackArchive(path, action, source, context.writer, context.owner));
    if (unpacked) copied.push(rootedPath(path));
    else job.run(path);
  }
  if (!isFiltered(action)) return;
  for (const required of action.requiredPaths) {
    if (!copied.some((path) => path.startsWith(required))) {
      throw notFound('file.not-found', `"${required}": not found`);
    }
  }
}

/** Only where something may be left out can a required path be missing. BuildKit: cache/contenthash Checksum. */
const isFiltered = ({ src, allowWildcard, includePatterns, excludePatterns }: CopyAction): boolean =>
  (allowWildcard && hasWildcards(src)) || includePatterns.length > 0 || excludePatterns.length > 0;

function requireDestParent(action: CopyAction, tree: LayerTree): void {
  const dest = resolvePath(tree, rootedPath(action.dest), { followLast: true });
  const parent = resolvePath(tree, dirOf(dest.path), { followLast: true });
  if (parent.node) return;
  const missing = noSuchFile('lstat', parent.path, tree, parent);
  throw new BuildError(missing.code, `failed to stat ${action.dest}: ${missing.message}`, missing);
}

function findSources(action: CopyAction, source: LayerTree): readonly string[] {
  const path = actionPath(action.src);
  if (!action.allowWildcard) return [path];
  const matches = resolveWildcards(source, path, action.followSymlink);
  if (matches.length === 0 && !action.allowEmptyWildcard) {
    throw notFound('file.not-found', `${path} not found`);
  }
  return matches;
}

/** Absolute and clean, but with the `/` or `/.` at its end that says what is meant. */
export function actionPath(path: string): string {
  const clean = rootedPath(path);
  if (path.endsWith('/.')) return clean === '/' ? '/.' : `${clean}/.`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

class CopyJob {
  readonly #action: CopyAction;
  readonly #source: LayerTree;
  readonly #writer: LayerWriter;
  readonly #context: CopyContext;
  readonly #mode: ModeChange | undefined;
  readonly #rules: CopyRules;
  readonly #newDirs: NewDirOptions;
  readonly #copied: (path: string) => void;

  constructor(action: CopyAction, source: LayerTree, context: CopyContext, copied: (path: string) => void) {
    this.#action = action;
    this.#source = source;
    this.#writer = context.writer;
    this.#context = context;
    this.#copied = copied;
    this.#mode = modeOf(action);
    this.#rules = {
      include: matcherOf(action.includePatterns),
      exclude: matcherOf(action.excludePatterns),
      alwaysReplace: action.alwaysReplaceExistingDestPaths,
      time: action.timestamp,
    };
    // An octal mode is also that of missing parents; a symbolic one has nothing to start from there.
    const mode = action.modeStr ? 0o755 : (action.mode ?? 0o755);
    this.#newDirs = { mode, owner: context.owner, time: action.timestamp };
  }

  run(path: string): void {
    const created: TreeNode[] = [];
    const dest = this.#prepareDest(created);
    const resolved = resolveSource(this.#source, path, this.#action.followSymlink);
    if (!resolved.node) throw noSuchFile('lstat', rootedPath(path), this.#source, resolved);
    const target = this.#chooseTarget(resolved.node, path, dest);
    const placer = this.#placer();
    const copier = new TreeCopier(this.#source, this.#writer, placer, this.#rules, {
      checkpoint: this.#context.checkpoint,
      // As it was asked for: a link on the way there does not make a required path another one.
      copied: (below) => this.#copied(joinPath(rootedPath(path), below)),
    });
    if (target === '/') {
      if (resolved.node.kind !== 'dir') throw invalid('file.copy', 'cannot replace to directory / with file');
      copier.copy(resolved.node, this.#writer.tree.root, undefined);
    } else {
      const contents = this.#action.dirCopyContents && resolved.node.kind === 'dir' && !this.#exists(target);
      const parent = makeDirs(this.#writer, contents ? target : dirOf(target), this.#newDirs, created);
      if (contents) copier.copy(resolved.node, parent.parent!, parent.name);
      else copier.copy(resolved.node, parent, baseOf(target));
    }
    restoreTimes(created.reverse(), this.#action.timestamp);
  }

  /** Makes the directory that has to be there, and answers the destination free of links. */
  #prepareDest(created: TreeNode[]): string {
    const { tree } = this.#writer;
    const dest = actionPath(this.#action.dest);
    const last = dest.slice(dest.lastIndexOf('/') + 1);
    const ensure = last === '' || last === '.' ? dest : dest.slice(0, dest.length - last.length);
    makeDirs(this.#writer, resolvePath(tree, ensure, { followLast: true }).path, this.#newDirs, created);
    return resolvePath(tree, dest, { followLast: true }).path;
  }

  /** Into an existing directory the source goes under its own name, unless its contents are meant. */
  #chooseTarget(source: TreeNode, path: string, dest: string): string {
    const existing = resolvePath(this.#writer.tree, dest, { followLast: true }).node;
    const isDir = source.kind === 'dir';
    const below = isDir ? !this.#action.dirCopyContents && existing !== undefined : existing?.kind === 'dir';
    return below ? joinPath(dest, baseOf(path)) : dest;
  }

  #exists(path: string): boolean {
    return resolvePath(this.#writer.tree, path, { followLast: true }).node !== undefined;
  }

  #placer(): FilePlacer {
    const { owner, immutableSource, linked } = this.#context;
    const options = { owner, mode: this.#mode, time: this.#action.timestamp, immutableSource };
    return new FilePlacer(this.#writer, options, linked);
  }
}

function modeOf(action: CopyAction): ModeChange | undefined {
  if (action.modeStr) return parseModeChange(action.modeStr);
  const { mode } = action;
  return mode === undefined ? undefined : () => mode & 0o7777;
}

const matcherOf = (patterns: readonly string[]): PatternMatcher | undefined =>
  patterns.length > 0 ? new PatternMatcher(patterns) : undefined;
