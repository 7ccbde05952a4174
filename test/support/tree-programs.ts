/** Random programs of changes, merges and diffs, run on a ref store and on the model at once. */
import fs from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { LayerUnpacker } from '../../core/content/layer/layer-unpacker.js';
import { silentProgress } from '../../core/contracts/progress.js';
import type { ImmutableRef, RefStore } from '../../core/contracts/refs.js';
import { setTimes } from '../../core/util/linux/times.js';
import { TarReader } from '../../core/util/tar/tar-reader.js';
import { LayerTree } from '../../core/util/tree/layer-tree.js';
import { LayerWriter } from '../../core/util/tree/layer-writer.js';
import type { TreeNode } from '../../core/util/tree/tree-node.js';
import {
  committed,
  diffModel,
  emptyDir,
  lookUp,
  type ModelDir,
  type ModelPath,
  type ModelRef,
  mergeModel,
  modelScratch,
  put,
  tellModel,
} from './model-trees.js';

const never = new AbortController().signal;

type Edit =
  | { readonly op: 'file'; readonly path: ModelPath; readonly text: string; readonly mode: number }
  | { readonly op: 'dir'; readonly path: ModelPath; readonly mode: number }
  | { readonly op: 'symlink'; readonly path: ModelPath; readonly target: string }
  | { readonly op: 'link'; readonly path: ModelPath; readonly to: ModelPath }
  | { readonly op: 'remove'; readonly path: ModelPath };

/** States are named by numbers, taken modulo how many there are; the first is the empty tree. */
type Command =
  | { readonly op: 'change'; readonly of: number; readonly edits: readonly Edit[] }
  | { readonly op: 'merge'; readonly of: readonly number[] }
  | { readonly op: 'diff'; readonly lower: number; readonly upper: number }
  /** Makes the tree now, not at the end. */
  | { readonly op: 'look'; readonly of: number };
export type Program = readonly Command[];

const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 });
const state = fc.nat(20);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    op: fc.constant('file' as const),
    path,
    text: fc.constantFrom('', 'x', 'y'),
    mode: fc.constantFrom(0o644, 0o600),
  }),
  fc.record({ op: fc.constant('dir' as const), path, mode: fc.constantFrom(0o755, 0o700) }),
  fc.record({ op: fc.constant('symlink' as const), path, target: fc.constantFrom('a', '../b', '/') }),
  fc.record({ op: fc.constant('link' as const), path, to: path }),
  fc.record({ op: fc.constant('remove' as const), path }),
);
export const programs: fc.Arbitrary<Program> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        op: fc.constant('change' as const),
        of: state,
        edits: fc.array(edit, { minLength: 1, maxLength: 6 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant('merge' as const),
        of: fc.array(state, { minLength: 1, maxLength: 4 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('diff' as const), lower: state, upper: state }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('look' as const), of: state }) },
  ),
  { minLength: 2, maxLength: 14 },
);

interface State {
  readonly ref: ImmutableRef | undefined;
  readonly model: ModelRef;
}

export class ProgramRun implements AsyncDisposable {
  readonly #refs: RefStore;
  readonly #states: State[] = [{ ref: undefined, model: modelScratch }];
  #clock = 1_700_000_000_000_000_001n;
  #groups = 0;

  constructor(refs: RefStore) {
    this.#refs = refs;
  }

  async run(program: Program): Promise<void> {
    for (const command of program) await this.#step(command);
  }

  /** Every tree is what the model says; `view` shows a stack of layers as one directory. */
  async check(view: (layers: readonly string[]) => readonly string[] = tellLayers): Promise<void> {
    for (const { ref, model } of [...this.#states].reverse()) {
      if (!ref) continue;
      const layers = await layersOf(ref);
      expect(view(layers)).to.deep.equal(tellModel(model.tree, true));
      expectNoFalseLinks(layers, model.tree);
    }
  }

  /** The last tree again, from its layers as an image would carry them. */
  async checkExport(read: (digest: string) => Uint8Array, target: string): Promise<void> {
    const { ref, model } = this.#states.at(-1)!;
    if (!ref) return;
    const options = { compression: { type: 'uncompressed' }, mediaTypes: 'oci' } as const;
    const { layers } = await ref.layers(options, silentProgress, never);
    expect(layers.length).to.equal(model.layers.length);
    for (const { descriptor } of layers) {
      const unpacker = new LayerUnpacker([target]);
      const reader = new TarReader(unpacker);
      reader.push(read(descriptor.digest));
      reader.end();
      unpacker.finish();
    }
    expect(tellLayers([target], false)).to.deep.equal(tellModel(model.tree, false));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { ref } of this.#states) await ref?.[Symbol.asyncDispose]();
  }

  async #step(command: Command): Promise<void> {
    const options = { description: command.op };
    switch (command.op) {
      case 'change':
        this.#states.push(await this.#change(this.#state(command.of), command.edits));
        return;
      case 'merge': {
        const inputs = command.of.map((at) => this.#state(at));
        const ref = await this.#refs.merge(
          inputs.map((input) => input.ref),
          options,
        );
        this.#states.push({ ref, model: mergeModel(inputs.map((input) => input.model)) });
        return;
      }
      case 'diff': {
        const [lower, upper] = [this.#state(command.lower), this.#state(command.upper)];
        const ref = await this.#refs.diff(lower.ref, upper.ref, options);
        this.#states.push({ ref, model: diffModel(lower.model, upper.model) });
        return;
      }
      case 'look': {
        const { ref } = this.#state(command.of);
        if (ref) await layersOf(ref);
      }
    }
  }

  #state(at: number): State {
    return this.#states[at % this.#states.length]!;
  }

  async #change(below: State, edits: readonly Edit[]): Promise<State> {
    const target = await this.#refs.create(below.ref, { description: 'change' }, silentProgress, never);
    const writer = new LayerWriter(await layersOf(target));
    let tree = below.model.tree;
    for (const each of edits) tree = this.#edit(tree, each, writer);
    return { ref: await target.commit(), model: committed(below.model, tree) };
  }

  #edit(tree: ModelDir, each: Edit, writer: LayerWriter): ModelDir {
    if (each.op === 'remove') {
      const node = find(writer, each.path);
      if (node) writer.remove(node);
      return put(tree, each.path, undefined);
    }
    if (each.op === 'dir') {
      const there = lookUp(tree, each.path);
      const mode = each.mode;
      fs.chmodSync(writer.own(makeDir(writer, each.path)), mode);
      return put(tree, each.path, there?.kind === 'dir' ? { ...there, mode } : emptyDir(mode));
    }
    const parent = makeDir(writer, each.path.slice(0, -1));
    const made = put(tree, each.path.slice(0, -1), madeDir(tree, each.path.slice(0, -1)));
    if (each.op === 'link') return this.#link(made, each, parent, writer);
    const name = each.path.at(-1)!;
    clear(writer, parent, name);
    const mtimeNs = this.#clock++;
    if (each.op === 'symlink') {
      const { target } = each;
      const host = writer.place(parent, name, 'symlink', (at) => fs.symlinkSync(target, at));
      setTimes(host, mtimeNs, mtimeNs);
      return put(made, each.path, { kind: 'symlink', target, mtimeNs });
    }
    const { text, mode } = each;
    const host = writer.place(parent, name, 'file', (at) => fs.writeFileSync(at, text, { flag: 'wx' }));
    fs.chmodSync(host, mode);
    setTimes(host, mtimeNs, mtimeNs);
    return put(made, each.path, { kind: 'file', text, mode, mtimeNs, group: this.#groups++ });
  }

  #link(
    tree: ModelDir,
    { path: at, to }: { readonly path: ModelPath; readonly to: ModelPath },
    parent: TreeNode,
    writer: LayerWriter,
  ): ModelDir {
    const source = lookUp(tree, to);
    if (source?.kind !== 'file' || lookUp(tree, at) !== undefined) return tree;
    const host = writer.ownEntry(find(writer, to)!);
    writer.place(parent, at.at(-1)!, 'file', (target) => fs.linkSync(host, target));
    return put(tree, at, source);
  }
}

const madeDir = (tree: ModelDir, at: ModelPath): ModelDir => {
  const there = lookUp(tree, at);
  return there?.kind === 'dir' ? there : emptyDir();
};

const layersOf = async (ref: Pick<ImmutableRef, 'view'>): Promise<readonly string[]> =>
  (await ref.view(silentProgress, never)).layers;

function find(writer: LayerWriter, at: ModelPath): TreeNode | undefined {
  let node: TreeNode | undefined = writer.tree.root;
  for (const name of at) node = node && writer.tree.child(node, name);
  return node;
}

/** As `put` of the model: what is no directory on the way becomes one. */
function makeDir(writer: LayerWriter, at: ModelPath): TreeNode {
  let node = writer.tree.root;
  for (const name of at) {
    const there = writer.tree.child(node, name);
    if (there && there.kind !== 'dir') writer.remove(there);
    node = there?.kind === 'dir' ? there : writer.mkdir(node, name, 0o755);
  }
  return node;
}

function clear(writer: LayerWriter, parent: TreeNode, name: string): void {
  const there = writer.tree.child(parent, name);
  if (there?.kind === 'dir') writer.remove(there);
}

/** As {@link tellModel}. */
export function tellLayers(layers: readonly string[], times = true): readonly string[] {
  const told: string[] = [];
  for (const [at, node] of nodesOf(layers)) {
    const mode = (node.stat.mode & 0o7777).toString(8);
    const time = times ? ` ${node.stat.mtimeNs}` : '';
    if (node.kind === 'dir') told.push(`${at} ${mode}`);
    else if (node.kind === 'symlink') told.push(`${at} -> ${node.linkname}${time}`);
    else told.push(`${at} ${mode} ${fs.readFileSync(node.host, 'utf8')}${time}`);
  }
  return told;
}

function* nodesOf(layers: readonly string[]): Iterable<readonly [path: string, node: TreeNode]> {
  const tree = new LayerTree(layers);
  function* below(dir: TreeNode): Iterable<readonly [string, TreeNode]> {
    for (const node of tree.children(dir)) {
      yield [node.path, node];
      if (node.kind === 'dir') yield* below(node);
    }
  }
  yield* below(tree.root);
}

/** Two names that a layer would carry as hard links were made as such. */
function expectNoFalseLinks(layers: readonly string[], tree: ModelDir): void {
  const groups = new Map<string, number>();
  for (const [at, node] of nodesOf(layers)) {
    if (node.kind !== 'file' || node.stat.nlink === 1) continue;
    const entry = lookUp(tree, at.slice(1).split('/'));
    const group = entry?.kind === 'file' ? entry.group : -1;
    const inode = `${node.layer} ${node.stat.ino}`;
    expect(groups.get(inode) ?? group, `${at} shares an inode`).to.equal(group);
    groups.set(inode, group);
  }
}
