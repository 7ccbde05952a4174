/**
 * Makes a plan true: places and withdraws demands, starts effects that are wanted and gives up those that are not.
 * An effect that is stopping is not started again before it has settled. Inputs are visited only if they were
 * touched, or if the plan asks them differently than before.
 */
import { type Asker, Demand } from './demand.js';
import type { Effect, EffectName } from './effect.js';
import { type Asking, askNothing, type Plan, sameAsking, wishOf } from './plan.js';
import { type Stage, stages } from './stage.js';
import type { Input, Output, Task } from './task.js';

export interface Actions {
  dirty(task: Task): void;
  start(task: Task, effect: EffectName): void;
  /** Stops it, unless it is wanted again before no turn is waiting. */
  giveUp(effect: Effect): void;
}

export function reconcile(task: Task, touched: readonly Input[], plan: Plan, actions: Actions): void {
  askLeader(task, plan.follows, actions);
  const inputs = sameAsking(plan.asking, task.asking ?? askNothing) ? touched : task.inputs;
  task.asking = plan.asking;
  for (const input of inputs) askInput(input, plan.asking, actions);
  for (const effect of plan.effects) want(task, effect, actions);
  if (task.running.size === 0) return;
  for (const [effect, running] of task.running) {
    if (!isPerInput(effect) && !plan.effects.includes(effect)) giveUp(running, actions);
  }
}

const isPerInput = (effect: EffectName): boolean => effect.startsWith('digest');

function want(task: Task, effect: EffectName, actions: Actions): void {
  const running = task.running.get(effect);
  if (running) running.wanted = true;
  else actions.start(task, effect);
}

function giveUp(running: Effect | undefined, actions: Actions): void {
  if (!running?.wanted) return;
  running.wanted = false;
  if (!running.aborted) actions.giveUp(running);
}

function askLeader(task: Task, follows: boolean, actions: Actions): void {
  if (!task.leader) return;
  task.outputs.forEach((output, index) => {
    const source = task.leader?.outputs[index];
    if (!source) return;
    const stage = follows ? output.wanted : stages.none;
    const asker: Asker = { kind: 'follower', task };
    output.leaderDemand = renew(output.leaderDemand, asker, source, stage, actions);
  });
}

function askInput(input: Input, asking: Asking, actions: Actions): void {
  const { task, source } = input;
  const { ask, digest } = wishOf(asking, input);
  input.demand = renew(input.demand, input.asker, source, ask, actions);
  if (!input.dep?.contentDigest) return;
  const effect: EffectName = `digest ${input.index}`;
  if (digest) want(task, effect, actions);
  else giveUp(task.running.get(effect), actions);
}

/** The demand that stands afterwards. An open one is kept; an answered one is placed again if it was not enough. */
function renew(
  demand: Demand | undefined,
  asker: Asker,
  source: Output,
  stage: Stage,
  actions: Actions,
): Demand | undefined {
  if (demand && demand.stage === stage && (demand.open || source.reached >= stage)) return demand;
  const next = stage === stages.none ? undefined : new Demand(asker, source, stage, seenBy(asker, source));
  // Placed before the old one is withdrawn: the source never looks unwanted in between.
  const more = next?.place() ?? false;
  const less = demand?.withdraw() ?? false;
  if (more || less) actions.dirty(source.task);
  if (next && !next.open) touch(asker, actions);
  return next;
}

/** Keys that came while nobody asked answer a demand at once. */
const seenBy = (asker: Asker, source: Output): number =>
  asker.kind === 'input' ? asker.input.seen : source.keys.length;

/** Whatever the source knows already was not looked at before it was asked. */
function touch(asker: Asker, actions: Actions): void {
  if (asker.kind === 'waiter') return;
  if (asker.kind === 'input') asker.task.touch(asker.input);
  actions.dirty(asker.task);
}

/** Lets go of everything a task asks for. */
export function withdrawAll(task: Task, actions: Actions): void {
  const demands = [
    ...task.inputs.map(({ demand }) => demand),
    ...task.outputs.map(({ leaderDemand }) => leaderDemand),
  ];
  for (const demand of demands) if (demand?.withdraw()) actions.dirty(demand.target.task);
}
