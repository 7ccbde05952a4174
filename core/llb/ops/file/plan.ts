/**
 * Which trees of a file op must become immutable. A tree that exactly one later action continues, and that is no
 * output, stays one writable layer along the chain: committing costs more than most actions.
 */
import type { FileBody, FileStep, OwnerRef } from '../../model.js';

export interface FilePlan {
  /**
   * Positions of the actions that outputs need, in order, as runs: each action of a run continues the tree of the one
   * before it, which is needed nowhere else.
   */
  readonly runs: readonly (readonly number[])[];
  /** Positions whose tree is used more than once, or is an output. */
  readonly committed: ReadonlySet<number>;
}

export function planFileOp({ actions }: FileBody, inputCount: number): FilePlan {
  const needed = new Set<number>();
  const uses = new Map<number, number>();
  // Actions only name earlier ones, so going backwards meets every user of a tree before the tree.
  for (let position = actions.length - 1; position >= 0; position--) {
    const step = actions[position];
    if (!step || (step.output === -1 && !needed.has(position))) continue;
    needed.add(position);
    for (const tree of treesOf(step)) {
      const producer = tree - inputCount;
      if (producer < 0) continue;
      needed.add(producer);
      uses.set(producer, (uses.get(producer) ?? 0) + 1);
    }
  }
  const ordered = [...needed].sort((a, b) => a - b);
  const committed = ordered.filter(
    (position) => actions[position]?.output !== -1 || (uses.get(position) ?? 0) > 1,
  );
  return { runs: runsOf(ordered, new Set(committed), actions, inputCount), committed: new Set(committed) };
}

function runsOf(
  ordered: readonly number[],
  committed: ReadonlySet<number>,
  actions: FileBody['actions'],
  inputCount: number,
): readonly (readonly number[])[] {
  const runs: number[][] = [];
  for (const position of ordered) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    const continues =
      before !== undefined && !committed.has(before) && actions[position]?.input === inputCount + before;
    if (continues) run!.push(position);
    else runs.push([position]);
  }
  return runs;
}

/**
 * The trees an action works with. A tree that is changed and copied from at once counts twice; looking up owners in
 * a tree that the action has anyway counts nothing.
 */
function treesOf({ input, secondaryInput, action }: FileStep): number[] {
  const trees = [input, secondaryInput].filter((tree) => tree !== -1);
  const owner = action.kind === 'rm' ? undefined : action.owner;
  const lookups = new Set([owner?.user, owner?.group].flatMap(lookupTree));
  return [...trees, ...[...lookups].filter((tree) => !trees.includes(tree))];
}

const lookupTree = (owner: OwnerRef | undefined): number[] => (owner?.kind === 'name' ? [owner.input] : []);
