/**
 * How much is known, or wanted, about one output of a task. Stages are ordered; `stages[a] < stages[b]` compares them.
 * BuildKit: solver/edge.go, cache-fast, cache-slow, complete.
 */
export const stages = { none: 0, definition: 1, content: 2, result: 3 } as const;
export type StageName = keyof typeof stages;
/**
 * - `none`: nothing.
 * - `definition`: every key that follows from how the graph is written.
 * - `content`: also every key that follows from the content of inputs.
 * - `result`: the result itself.
 */
export type Stage = (typeof stages)[StageName];

const names = Object.keys(stages) as readonly StageName[];
export const stageName = (stage: Stage): StageName => names[stage] ?? 'none';

export const laterOf = (a: Stage, b: Stage): Stage => (a > b ? a : b);
