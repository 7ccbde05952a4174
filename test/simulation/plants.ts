/**
 * Wrong rules. A simulation that does not notice them proves nothing. Each swaps two of the rules in plan.ts, from
 * outside.
 */
import { type Plan, plan } from '../../core/solver/plan.js';
import { stages } from '../../core/solver/stage.js';
import type { Task } from '../../core/solver/task.js';

export interface Plant {
  readonly name: string;
  readonly plan: (task: Task) => Plan;
}

export const plants: readonly Plant[] = [
  { name: 'rule 6 before 2: a step that can run does, though a record matches', plan: runBeforeLoad },
  { name: 'rule 1 after all others: a follower works for itself', plan: followLast },
];

function runBeforeLoad(task: Task): Plan {
  const planned = plan(task);
  const loads = planned.effects.filter((effect) => effect.startsWith('load'));
  const open = task.outputs.filter(
    ({ wanted, reached }) => wanted === stages.result && reached >= stages.content,
  );
  if (loads.length === 0 || open.length === 0) return planned;
  const ready = task.mapped && task.resultsMissing === 0 && task.digestsMissing === 0;
  return {
    asking: { everything: true, matches: [] },
    effects: [
      ...planned.effects.filter((effect) => !loads.includes(effect)),
      ...(ready ? (['exec'] as const) : []),
    ],
    failedInput: task.failedInput,
    follows: false,
  };
}

/** As if it had no leader. */
function followLast(task: Task): Plan {
  return plan(Object.create(task, { leader: { value: undefined } }));
}
