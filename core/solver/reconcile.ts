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
  for (const name of plan.effects) want(task.effect(name), task, name, actions);
  for (const effect of task.running) if (!plan.effects.includes(effect.name)) giveUp(effect, actions);
}

function want(running: Effect | undefined, task: Task, name: EffectName, actions: Actions): void {
  if (running) running.wanted = true;
  else actions.start(task, name);
}

function giveUp(effect: Effect, actions: Actions): void {
  if (!effect.wanted) return;
  effect.wanted = false;
  if (!effect.aborted) actions.giveUp(effect);
}

function askLeader(task: Task, follows: boolean, actions: Actions): void {
  const { leader } = task;
  if (!leader) return;
  for (const output of task.outputs) {
    output.leaderDemand ??= new Demand({ kind: 'follower', task }, leader.outputs[output.index]!);
    renew(output.leaderDemand, follows ? output.wanted : stages.none, actions);
  }
}

function askInput(input: Input, asking: Asking, actions: Actions): void {
  const { ask, digest } = wishOf(asking, input);
  renew(input.demand, ask, actions);
  if (digest) want(input.digesting, input.task, `digest ${input.index}`, actions);
  else if (input.digesting) giveUp(input.digesting, actions);
}

/** An open demand is left alone; an answered one is placed again if it was not enough. */
function renew(demand: Demand, stage: Stage, actions: Actions): void {
  const { asker, target } = demand;
  if (demand.stage === stage && (demand.open || target.reached >= stage)) return;
  if (demand.ask(stage, seenBy(asker, target))) actions.dirty(target.task);
  if (stage !== stages.none && !demand.open) touch(asker, actions);
}

/** Keys that came while nobody asked answer a demand at once. */
const seenBy = (asker: Asker, target: Output): number =>
  asker.kind === 'input' ? asker.seen : target.keys.length;

/** Whatever the source knows already was not looked at before it was asked. */
function touch(asker: Asker, actions: Actions): void {
  if (asker.kind === 'waiter') return;
  if (asker.kind === 'input') asker.task.touch(asker);
  actions.dirty(asker.task);
}

/** Lets go of everything a task asks for. */
export function withdrawAll(task: Task, actions: Actions): void {
  for (const { demand } of task.inputs) end(demand, actions);
  for (const { leaderDemand } of task.outputs) if (leaderDemand) end(leaderDemand, actions);
}

function end(demand: Demand, actions: Actions): void {
  if (demand.end()) actions.dirty(demand.target.task);
}
