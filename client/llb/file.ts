/**
 * The op of a chain of file actions. An action's input is one of the op's inputs or, counted on from their number,
 * the result of an earlier action; only the last action's result leaves the op. BuildKit: client/llb/fileop.go.
 */
import { caps } from './caps.js';
import type { Constraints } from './constraints.js';
import type { BoundAction, CopySource, FileAction } from './file-action.js';
import { fileActionMessage } from './file-message.js';
import { finishOp, NONE } from './op-message.js';
import type { State } from './state.js';
import { InputList, type MarshalContext, type MarshalledOp, type Output, type Vertex } from './vertex.js';

export class FileOp implements Vertex {
  readonly output: Output;
  readonly #base: State;
  readonly #action: FileAction;
  readonly #constraints: Constraints;

  constructor(base: State, action: FileAction, own: Constraints) {
    this.#base = base;
    this.#action = action;
    this.#constraints = own;
    this.output = { vertex: this, index: 0, platform: undefined };
  }

  inputs(): readonly Output[] {
    const outputs: Output[] = [];
    addOutputs({ action: this.#action, state: this.#base }, outputs);
    return outputs;
  }

  marshal(context: MarshalContext): MarshalledOp {
    const plan = new FilePlan(context);
    plan.add({ action: this.#action, state: this.#base });
    const actions = plan.steps.map((step, index) => ({
      input: plan.index(step.input),
      secondaryInput: plan.index(step.source),
      output: index === plan.steps.length - 1 ? 0 : NONE,
      ...fileActionMessage(step.action.step, step.state.settings.dir, step.base),
    }));
    const op = { inputs: plan.inputs.messages, file: { actions } };
    return finishOp(op, this.#constraints, [caps.fileBase], undefined);
  }
}

/** From the last action back to the first, each with its tree before its source, as Go lists them; each once. */
function addOutputs({ action, state }: BoundAction, outputs: Output[]): void {
  const add = (output: Output | undefined): void => {
    if (output && !outputs.includes(output)) outputs.push(output);
  };
  for (let at: FileAction | undefined = action; at; at = at.previous) {
    add(state.output);
    if (at.step.kind !== 'copy') continue;
    const { from } = at.step;
    if ('action' in from) addOutputs(from, outputs);
    else add(from.output);
  }
}

/** An op input by its index, or the result of an earlier action by its place. */
type InputRef = { readonly input: number } | { readonly action: number };

interface PlannedStep {
  readonly action: FileAction;
  readonly state: State;
  /** The op input of the tree that owners' names are looked up in. */
  readonly base: number;
  readonly input: InputRef;
  readonly source: InputRef;
}

const nothing: InputRef = { input: NONE };

class FilePlan {
  readonly inputs: InputList;
  readonly steps: PlannedStep[] = [];
  readonly #placed = new Map<FileAction, Map<State, number>>();

  constructor(context: MarshalContext) {
    this.inputs = new InputList(context);
  }

  /** Places an action after those it needs, once, and answers its place. */
  add({ action, state }: BoundAction): number {
    const known = this.#placed.get(action)?.get(state);
    if (known !== undefined) return known;
    const previous = action.previous && this.add({ action: action.previous, state });
    const base = state.output ? this.inputs.add(state.output) : NONE;
    const source = action.step.kind === 'copy' ? this.#source(action.step.from) : nothing;
    const input = previous === undefined ? { input: base } : { action: previous };
    const place = this.steps.push({ action, state, base, input, source }) - 1;
    const byState = this.#placed.get(action) ?? new Map<State, number>();
    this.#placed.set(action, byState.set(state, place));
    return place;
  }

  #source(from: CopySource): InputRef {
    if ('action' in from) return { action: this.add(from) };
    return from.output ? { input: this.inputs.add(from.output) } : nothing;
  }

  /** Only known once all inputs are: results of actions are numbered after them. */
  index(ref: InputRef): number {
    return 'input' in ref ? ref.input : this.inputs.length + ref.action;
  }
}
