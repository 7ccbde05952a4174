/**
 * Two live tasks that prove to be the same step are not merged: one follows the other. A running step is a cache
 * record that is not ready yet. Each keeps its own key chain.
 *
 * Invariants: (1) a follower owns its leader from the moment it follows; (2) nobody follows a task that waits for
 * it; (3) a step that ignores its cache follows only its like; (4) a task that has begun follows nobody.
 */
import { append } from '../util/lists.js';
import { join } from './audience.js';
import { addKey, reach } from './facts.js';
import { isVolatile, type KeyId } from './keys/key-id.js';
import type { InputKeys } from './keys/link.js';
import { rankAbove, wayBack } from './ranks.js';
import type { Output, Task } from './task.js';

/** Answers the task that changed sides, if any. */
export function follow(task: Task, twins: readonly Task[]): Task | undefined {
  for (const twin of twins.toSorted(byFreshness)) {
    for (const [leader, follower] of byPreference(task, leaderOf(twin))) {
      if (!mayFollow(follower, leader)) continue;
      follower.leader = leader;
      leader.owners = append(leader.owners, follower);
      rankAbove(follower, leader);
      for (const job of follower.jobs) join(job, leader);
      return follower;
    }
  }
  return undefined;
}

/** The newest result first, then what has begun, then the oldest. */
const byFreshness = (a: Task, b: Task): number =>
  createdAt(b) - createdAt(a) || Number(b.begun) - Number(a.begun) || a.serial - b.serial;

const createdAt = (task: Task): number => task.outputs[0]?.result?.createdAt ?? 0;

function leaderOf(task: Task): Task {
  let last = task;
  while (last.leader) last = last.leader;
  return last;
}

/** The older leads, unless it has not begun and the other has. */
function byPreference(a: Task, b: Task): readonly (readonly [leader: Task, follower: Task])[] {
  const [older, younger] = a.serial < b.serial ? [a, b] : [b, a];
  const swapped = !older.begun && younger.begun;
  const pairs = [
    [older, younger],
    [younger, older],
  ] as const;
  return swapped ? pairs.toReversed() : pairs;
}

function mayFollow(follower: Task, leader: Task): boolean {
  if (follower === leader || follower.leader || follower.begun || follower.swept || leader.swept)
    return false;
  if (follower.vertex.outputs !== leader.vertex.outputs) return false;
  if (follower.vertex.ignoreCache && !leader.vertex.ignoreCache) return false;
  // A record at hand is better than waiting for a run that ignores it.
  const over = leader.outputs.every(({ result }) => result);
  if (leader.vertex.ignoreCache && !over && follower.outputs.some(({ bestRecord }) => bestRecord))
    return false;
  return wayBack(follower, leader) === undefined;
}

/** Takes over what the leader has come to know. Results are clones. */
export function absorbLeader(task: Task): void {
  const { leader } = task;
  if (!leader) return;
  if (leader.failure && !task.failure) {
    task.failure = leader.failure;
    task.changed = true;
  }
  task.outputs.forEach((output, index) => {
    const source = leader.outputs[index];
    if (source) absorbOutput(output, source);
  });
}

function absorbOutput(output: Output, source: Output): void {
  for (const key of source.allKeys) addKey(output, key);
  if (source.result && !output.result) {
    output.result = { ...source.result, value: source.result.value?.clone() };
    output.task.verdict ??= {
      outcome: 'cached',
      because: `it is the same step as ${source.task.name}, which another part of the graph ran`,
    };
    output.task.log.shared();
    output.task.changed = true;
  }
  reach(output, source.reached);
}

/** A follower's own inputs lead to the leader's keys from now on. */
export function* sharedLinks(
  task: Task,
): Iterable<{ readonly inputs: readonly InputKeys[]; readonly key: KeyId }> {
  if (task.isRoot || !task.map) return;
  for (const output of task.outputs) {
    const inputs = task.inputs.map((input) => output.keysOf(input));
    for (const key of output.allKeys) if (!isVolatile(key)) yield { inputs, key };
  }
}
