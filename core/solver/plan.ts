/**
 * What a task wants to be true now: a pure function of its facts and demands. The first rule that applies decides.
 *
 * | # | if                                               | then |
 * |---|--------------------------------------------------|------|
 * | 0 | nobody asks, or it is settled                    | want nothing (this is cancellation) |
 * | 1 | it follows a leader                              | ask the leader for the same |
 * | 2 | the result is asked and a record is usable       | load the newest record, and nothing else |
 * | 3 | no cache map yet; a step without inputs has more and no record | fetch the next cache map |
 * | 4 | an input may still tell definition keys          | ask it for those: all inputs at once, it is cheap |
 * | 5 | content keys are asked, an input may have some, and it leads nowhere yet (or every input leads somewhere and definitions are over) | ask it for content; then for its result, and digest that |
 * | 6 | the result is asked and no match is possible     | ask every input for its result, digest what can be, run |
 *
 * Rules 2 to 6 go per output; what they want of an input adds up. Answers do not depend on how often a plan is made.
 */
import { none } from '../util/lists.js';
import type { EffectName } from './effect.js';
import { laterOf, type Stage, stages } from './stage.js';
import type { Input, Output, Task } from './task.js';

export interface Plan {
  readonly asking: Asking;
  /** Effects that should run; those on a single input follow from `asking` (see wishOf). */
  readonly effects: readonly EffectName[];
  /** An input that is needed has failed. */
  readonly failedInput: Input | undefined;
  readonly follows: boolean;
}

/** How the inputs are asked, in terms that are the same for all of them: a plan costs nothing per input. */
export interface Asking {
  readonly everything: boolean;
  readonly matches: readonly OutputAsking[];
}
interface OutputAsking {
  readonly output: Output;
  readonly deepen: boolean;
  /** Not only the inputs that lead nowhere. */
  readonly all: boolean;
  /** How many matches there were: each changes what is open for every input. */
  readonly matched: number;
}
export interface Wish {
  readonly ask: Stage;
  readonly digest: boolean;
}

const saving: readonly EffectName[] = ['save'];
const mapping: readonly EffectName[] = ['map'];
const running: readonly EffectName[] = ['exec'];
export const askNothing: Asking = { everything: false, matches: none };
const askEverything: Asking = { everything: true, matches: none };
const nothing: Plan = { asking: askNothing, effects: none, failedInput: undefined, follows: false };
const justSaving: Plan = { ...nothing, effects: saving };

export function plan(task: Task): Plan {
  if (task.failure) return nothing;
  const effects = task.executed && !task.saved ? saving : none;
  let all: Part | undefined;
  for (const output of task.outputs) {
    if (output.wanted === stages.none) continue;
    if (task.leader) return { ...nothing, effects, follows: true };
    const part = planOutput(task, output);
    all = all ? both(all, part) : part;
  }
  if (!all) return effects === none ? nothing : justSaving;
  const { asking } = all;
  return {
    asking,
    effects: union(effects, all.effects),
    failedInput: asking.everything ? task.failedInput : undefined,
    follows: false,
  };
}

/** Why a task wants what it does, or nothing, in a sentence. */
export function because(task: Task): string {
  if (task.failure) return 'it has failed';
  const asked = task.outputs.filter(({ wanted }) => wanted !== stages.none);
  if (asked.length === 0) return idleReason(task);
  if (task.leader) return `it follows ${task.leader.name}`;
  return asked.map((output) => planOutput(task, output).reason(task, output)).join('; ');
}

/** What one output wants. */
interface Part {
  readonly asking: Asking;
  readonly effects: readonly EffectName[];
  readonly reason: (task: Task, output: Output) => string;
}

const both = (a: Part, b: Part): Part => ({
  asking: {
    everything: a.asking.everything || b.asking.everything,
    matches: [...a.asking.matches, ...b.asking.matches],
  },
  effects: union(a.effects, b.effects),
  reason: a.reason,
});

function union<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  if (a.length === 0 || b.length === 0) return a.length > 0 ? a : b;
  return [...new Set([...a, ...b])];
}

function planOutput(task: Task, output: Output): Part {
  const wantsResult = output.wanted === stages.result;
  const usable = output.bestRecord !== undefined;
  if (wantsResult && usable) return { ...loads, effects: [`load ${output.index}`] };
  const maps = wantsMap(task, usable);
  if (wantsResult && output.reached >= stages.content) return planRun(task, maps);
  if (task.isRoot) return maps ? mapsFirst : waitsForMap;
  return {
    asking: { everything: false, matches: [askingFor(task, output)] },
    effects: maps ? mapping : none,
    reason: matchReason,
  };
}

function askingFor(task: Task, output: Output): OutputAsking {
  const { matching, wanted } = output;
  return {
    output,
    deepen: wanted >= stages.content && task.mapped,
    all: matching?.lacking === 0 && task.definitionsOpen === 0,
    matched: matching?.matches ?? 0,
  };
}

function planRun(task: Task, maps: boolean): Part {
  const ready = task.mapped && task.resultsMissing === 0 && task.digestsMissing === 0;
  if (ready) return runs;
  return maps ? mapsToRun : waitsToRun;
}

const loads: Part = { asking: askNothing, effects: none, reason: () => 'a record matches' };
const waitsForMap: Part = { asking: askNothing, effects: none, reason: () => 'its cache map comes first' };
const mapsFirst: Part = { ...waitsForMap, effects: mapping };
const runs: Part = {
  asking: askEverything,
  effects: running,
  reason: () => 'no record matches and every input is there',
};
const waitsToRun: Part = {
  asking: askEverything,
  effects: none,
  reason: () => 'no record can match: it needs its inputs',
};
const mapsToRun: Part = { ...waitsToRun, effects: mapping };

/** A root with a usable record needs no further keys; one without tries them all. */
const wantsMap = (task: Task, usable: boolean): boolean =>
  task.maps.length === 0 || (task.isRoot && !task.mapsDone && !usable);

/** What a plan means for one input. */
export function wishOf(asking: Asking, input: Input): Wish {
  let ask: Stage = asking.everything ? stages.result : stages.none;
  for (const match of asking.matches) ask = laterOf(ask, stageFor(match, input));
  const digest = ask === stages.result && input.hasResult && wantsDigest(input);
  return { ask, digest };
}

export const wantsDigest = (input: Input): boolean =>
  input.dep?.contentDigest !== undefined && input.contentDigest === undefined;

function stageFor({ output, deepen, all }: OutputAsking, input: Input): Stage {
  if (input.known < stages.definition) return stages.definition;
  if (!deepen || input.known >= stages.content) return stages.none;
  if (!all && output.matching && output.matching.open(input.index) > 0) return stages.none;
  return input.source.reached >= stages.content ? stages.result : stages.content;
}

/** True when no input is asked differently. */
export function sameAsking(a: Asking, b: Asking): boolean {
  if (a === b) return true;
  if (a.everything || b.everything) return a.everything === b.everything;
  return (
    a.matches.length === b.matches.length && a.matches.every((match, i) => sameMatch(match, b.matches[i]!))
  );
}

const sameMatch = (a: OutputAsking, b: OutputAsking): boolean =>
  a.output === b.output && a.deepen === b.deepen && a.all === b.all && a.matched === b.matched;

function idleReason(task: Task): string {
  if (task.outputs.some(({ result }) => result)) return 'its result is there';
  return task.owned ? 'nobody needs more of it' : 'nobody wants it';
}

function matchReason(task: Task, output: Output): string {
  const { all, deepen } = askingFor(task, output);
  if (task.maps.length === 0) return 'its cache map and the keys of its inputs come first';
  if (task.definitionsOpen > 0) return `${task.definitionsOpen} inputs may still have definition keys`;
  if (!deepen) return 'its definition keys are asked';
  if (all) return 'every input was seen before, but not together: content keys are next';
  return `${output.matching?.lacking ?? 0} inputs lead to no record yet: their content keys are next`;
}
