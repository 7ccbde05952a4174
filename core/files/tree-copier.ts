/**
 * Copies one source path into a target tree. BuildKit: fsutil copy/copy.go; the rules that are easy to miss:
 *
 * 1. A directory that does not match the include patterns itself is made only when the first thing below it does,
 *    and then with its source's metadata.
 * 2. The directory that the copy goes into keeps its metadata if it was there before, except for its times, which
 *    become the source directory's. Directories below it take the source's metadata.
 * 3. A file replaces a file, link or device; it does not replace a directory unless `alwaysReplace` says so.
 */
import fs from 'node:fs';
import { invalid } from '../contracts/errors.js';
import { joinPath } from '../util/gofs/path.js';
import { setTimes } from '../util/linux/times.js';
import type { MatchState, PatternMatcher } from '../util/patterns/pattern-matcher.js';
import type { FilePlacer } from '../util/tree/file-placer.js';
import type { LayerTree } from '../util/tree/layer-tree.js';
import type { LayerWriter } from '../util/tree/layer-writer.js';
import type { TreeNode } from '../util/tree/tree-node.js';

export interface CopyRules {
  readonly include: PatternMatcher | undefined;
  readonly exclude: PatternMatcher | undefined;
  readonly alwaysReplace: boolean;
  /** Nanoseconds; undefined keeps the source's times. */
  readonly time: bigint | undefined;
}

/** A place in the target tree; the root has no parent. */
interface Target {
  readonly parent: Pending | undefined;
  readonly name: string;
}
/** A directory of the copy, in the target or still waiting for something that is included (rule 1). */
interface Pending {
  readonly source: TreeNode | undefined;
  readonly target: Target;
  node: TreeNode | undefined;
}
interface Matched {
  readonly include: MatchState | undefined;
  readonly exclude: MatchState | undefined;
  /** The exclude patterns leave it out, and so all below it that no negation brings back. */
  readonly excluded: boolean;
}
const unmatched: Matched = { include: undefined, exclude: undefined, excluded: false };

export class TreeCopier {
  readonly #source: LayerTree;
  readonly #writer: LayerWriter;
  readonly #placer: FilePlacer;
  readonly #rules: CopyRules;
  readonly #checkpoint: () => void;
  readonly #copied: (path: string) => void;

  /**
   * `checkpoint` is called per entry and may throw to stop; `copied` gets the path of each entry that was included,
   * relative to what is copied.
   */
  constructor(
    source: LayerTree,
    writer: LayerWriter,
    placer: FilePlacer,
    rules: CopyRules,
    hooks: { readonly checkpoint: () => void; readonly copied: (path: string) => void },
  ) {
    this.#source = source;
    this.#writer = writer;
    this.#placer = placer;
    this.#rules = rules;
    this.#checkpoint = hooks.checkpoint;
    this.#copied = hooks.copied;
  }

  /** `name` undefined copies a directory onto `parent` itself. `parent` exists. */
  copy(source: TreeNode, parent: TreeNode, name: string | undefined): void {
    const into: Pending = { source: undefined, target: { parent: undefined, name: '' }, node: parent };
    if (name === undefined) {
      this.#copied('');
      const pending: Pending = { ...into, source };
      this.#copyChildren(source, '', pending, unmatched);
      this.#keepTimes(source, parent);
      return;
    }
    this.#copied('');
    if (source.kind === 'dir') this.#copyDir(source, '', { parent: into, name }, true, unmatched, true);
    else this.#copyEntry(source, into, name);
  }

  #copyChildren(source: TreeNode, path: string, into: Pending, above: Matched): void {
    for (const child of this.#source.children(source)) {
      this.#checkpoint();
      const childPath = joinPath(path, child.name);
      const { included, matched } = this.#match(childPath, above);
      if (included) this.#copied(childPath);
      if (child.kind !== 'dir') {
        if (included) this.#copyEntry(child, into, child.name);
      } else if (included || this.#mayHoldIncluded(childPath, matched)) {
        this.#copyDir(child, childPath, { parent: into, name: child.name }, included, matched, false);
      }
    }
    source.known.clear();
    source.complete = false;
  }

  #copyDir(
    source: TreeNode,
    path: string,
    target: Target,
    included: boolean,
    matched: Matched,
    outermost: boolean,
  ): void {
    const pending: Pending = { source, target, node: undefined };
    const existed = this.#targetExists(target, source);
    if (included) this.#ensure(pending);
    this.#copyChildren(source, path, pending, matched);
    if (!included || !pending.node) return;
    if (outermost && existed) this.#keepTimes(source, pending.node);
    else this.#placer.finish(source, this.#writer.own(pending.node));
    pending.node.promote(pending.node.parts[0]!);
  }

  #copyEntry(source: TreeNode, into: Pending, name: string): void {
    const parent = this.#ensure(into);
    const existing = this.#writer.tree.child(parent, name);
    if (existing?.kind === 'dir') {
      if (!this.#rules.alwaysReplace) {
        throw invalid('file.copy', `cannot replace to directory ${existing.path} with file`);
      }
      this.#writer.remove(existing);
    }
    this.#placer.place(source, parent, name);
  }

  /** Makes the directory, and those above it that wait, unless they are there. */
  #ensure(pending: Pending): TreeNode {
    if (pending.node) return pending.node;
    const { name } = pending.target;
    const parent = this.#ensure(pending.target.parent!);
    const existing = this.#existing(parent, name);
    if (existing) {
      // A directory between takes the source's mode even when it is not included itself.
      if (pending.target.parent!.source)
        fs.chmodSync(this.#writer.own(existing), pending.source!.stat.mode & 0o7777);
      pending.node = existing;
      return existing;
    }
    pending.node = this.#writer.mkdir(parent, name, pending.source!.stat.mode);
    this.#placer.finish(pending.source!, pending.node.host);
    return pending.node;
  }

  #existing(parent: TreeNode, name: string): TreeNode | undefined {
    const existing = this.#writer.tree.child(parent, name);
    if (!existing || existing.kind === 'dir') return existing;
    if (!this.#rules.alwaysReplace) {
      throw invalid('file.copy', `cannot copy to non-directory: ${existing.path}`);
    }
    this.#writer.remove(existing);
    return undefined;
  }

  #targetExists(target: Target, source: TreeNode): boolean {
    const parent = target.parent?.node;
    return parent !== undefined && this.#writer.tree.child(parent, target.name)?.kind === source.kind;
  }

  /** Rule 2. */
  #keepTimes(source: TreeNode, target: TreeNode): void {
    const { time } = this.#rules;
    const { atimeNs, mtimeNs } = source.stat;
    setTimes(this.#writer.own(target), time ?? atimeNs, time ?? mtimeNs);
  }

  #match(path: string, above: Matched): { readonly included: boolean; readonly matched: Matched } {
    const include = this.#rules.include?.step(path, above.include);
    const exclude = this.#rules.exclude?.step(path, above.exclude);
    const excluded = exclude?.matched ?? false;
    return {
      included: (include?.matched ?? true) && !excluded,
      matched: { include: include?.state, exclude: exclude?.state, excluded },
    };
  }

  /** Whether a directory that is not included itself can hold something that is. */
  #mayHoldIncluded(path: string, matched: Matched): boolean {
    const { include, exclude } = this.#rules;
    const includedBelow = !include || matched.include?.some(Boolean) || include.mayIncludeBelow(path);
    const keptBelow = !matched.excluded || exclude?.mayNegateBelow(path);
    return Boolean(includedBelow && keptBelow);
  }
}
