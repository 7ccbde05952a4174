/**
 * What trees, merges and diffs mean, on maps in memory: the yardstick for what is done with hard links and whiteouts.
 * Nothing is ever changed in place.
 */
export type ModelEntry = ModelFile | ModelLink | ModelDir;
export interface ModelFile {
  readonly kind: 'file';
  readonly text: string;
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Only entries of one group may be names of one inode. */
  readonly group: number;
}
export interface ModelLink {
  readonly kind: 'symlink';
  readonly target: string;
  readonly mtimeNs: bigint;
}
export interface ModelDir {
  readonly kind: 'dir';
  readonly mode: number;
  readonly children: ReadonlyMap<string, ModelEntry>;
}
export type ModelPath = readonly string[];

/** One layer of a ref: what lies between two trees. */
export interface ModelLayer {
  readonly lower: ModelDir;
  readonly upper: ModelDir;
}
export interface ModelRef {
  readonly tree: ModelDir;
  readonly layers: readonly ModelLayer[];
  readonly composed: boolean;
}

export const emptyDir = (mode = 0o755): ModelDir => ({ kind: 'dir', mode, children: new Map() });
export const modelScratch: ModelRef = { tree: emptyDir(), layers: [], composed: false };

export function lookUp(tree: ModelDir, path: ModelPath): ModelEntry | undefined {
  let at: ModelEntry | undefined = tree;
  for (const name of path) at = at?.kind === 'dir' ? at.children.get(name) : undefined;
  return at;
}

/** Puts, or with undefined removes, what is at a path; what is no directory on the way becomes one. */
export function put(dir: ModelDir, path: ModelPath, entry: ModelEntry | undefined): ModelDir {
  const [name, ...rest] = path;
  if (name === undefined) return dir;
  const children = new Map(dir.children);
  const child = children.get(name);
  if (rest.length > 0) {
    if (child?.kind === 'dir' || entry) {
      children.set(name, put(child?.kind === 'dir' ? child : emptyDir(), rest, entry));
    }
  } else if (entry) children.set(name, entry);
  else children.delete(name);
  return { ...dir, children };
}

export const committed = (below: ModelRef, tree: ModelDir): ModelRef => ({
  tree,
  layers: [...below.layers, { lower: below.tree, upper: tree }],
  composed: false,
});

export function mergeModel(inputs: readonly ModelRef[]): ModelRef {
  const [first, ...rest] = inputs.filter((ref) => ref !== modelScratch);
  if (!first || rest.length === 0) return first ?? modelScratch;
  const applied = rest.flatMap((ref) => ref.layers);
  return { tree: replay(first.tree, applied), layers: [...first.layers, ...applied], composed: true };
}

export function diffModel(lower: ModelRef, upper: ModelRef): ModelRef {
  if (lower === modelScratch) return upper;
  if (lower === upper) return modelScratch;
  const between = layersBetween(lower, upper);
  if (between) return { tree: replay(emptyDir(), between), layers: between, composed: true };
  const layer = { lower: lower.tree, upper: upper.tree };
  return { tree: replay(emptyDir(), [layer]), layers: [layer], composed: false };
}

function layersBetween(lower: ModelRef, upper: ModelRef): readonly ModelLayer[] | undefined {
  if (!lower.layers.every((layer, at) => upper.layers[at] === layer)) return undefined;
  const between = upper.layers.slice(lower.layers.length);
  return between.length === 0 || (between.length === 1 && upper.composed) ? undefined : between;
}

const replay = (tree: ModelDir, layers: readonly ModelLayer[]): ModelDir =>
  layers.reduce((at, { lower, upper }) => change(at, lower, upper), tree);

/** `target` as it is after what makes `upper` of `lower`. A directory with changes below takes its mode from `upper`. */
function change(target: ModelDir, lower: ModelDir, upper: ModelDir): ModelDir {
  const children = new Map(target.children);
  for (const name of lower.children.keys()) if (!upper.children.has(name)) children.delete(name);
  for (const [name, after] of upper.children) {
    const before = lower.children.get(name);
    const there = children.get(name);
    if (after.kind !== 'dir') {
      if (!before || !same(before, after)) children.set(name, after);
    } else {
      const from = before?.kind === 'dir' ? before : undefined;
      if (from && unchanged(from, after)) continue;
      const onto = there?.kind === 'dir' ? there : emptyDir();
      children.set(name, { ...change(onto, from ?? emptyDir(), after), mode: after.mode });
    }
  }
  return { ...target, children };
}

function unchanged(before: ModelDir, after: ModelDir): boolean {
  return (
    before.mode === after.mode &&
    before.children.size === after.children.size &&
    [...after.children].every(([name, entry]) => {
      const other = before.children.get(name);
      if (!other || other.kind !== entry.kind) return false;
      return entry.kind === 'dir' ? unchanged(other as ModelDir, entry) : same(other, entry);
    })
  );
}

function same(a: ModelEntry, b: ModelEntry): boolean {
  if (a.kind === 'file' && b.kind === 'file') {
    return a.text === b.text && a.mode === b.mode && a.mtimeNs === b.mtimeNs;
  }
  return a.kind === 'symlink' && b.kind === 'symlink' && a.target === b.target && a.mtimeNs === b.mtimeNs;
}

/** Path and appearance of all entries; times only where they are asked for. */
export function tellModel(dir: ModelDir, times: boolean, at = ''): readonly string[] {
  return [...dir.children]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, entry]) => {
      const path = `${at}/${name}`;
      if (entry.kind === 'dir')
        return [`${path} ${entry.mode.toString(8)}`, ...tellModel(entry, times, path)];
      const time = times ? ` ${entry.mtimeNs}` : '';
      return entry.kind === 'file'
        ? [`${path} ${entry.mode.toString(8)} ${entry.text}${time}`]
        : [`${path} -> ${entry.target}${time}`];
    });
}
