/**
 * Runs the actions of a file op, one after the other: they rarely are independent of each other. A tree moves along
 * its chain of actions as one writable layer (see plan.ts).
 */
import { BuildError, type ErrorDetail } from '../../../contracts/errors.js';
import type { ImmutableRef, MutableRef } from '../../../contracts/refs.js';
import type { OpContext } from '../../../solver/op.js';
import { DisposeStack } from '../../../util/dispose.js';
import type { FileBody, FileStep } from '../../model.js';
import type { OpSetting } from '../setting.js';
import { engineAction } from './actions.js';
import { type FilePlan, planFileOp } from './plan.js';

type Tree = ImmutableRef | MutableRef;

export class FileRun implements AsyncDisposable {
  readonly #held = new DisposeStack();
  readonly #body: FileBody;
  readonly #inputs: readonly (ImmutableRef | undefined)[];
  readonly #setting: OpSetting;
  readonly #context: OpContext;
  readonly #plan: FilePlan;
  /** By position of the action that made it. */
  readonly #trees = new Map<number, Tree>();

  constructor(
    body: FileBody,
    inputs: readonly (ImmutableRef | undefined)[],
    setting: OpSetting,
    context: OpContext,
  ) {
    this.#body = body;
    this.#inputs = inputs;
    this.#setting = setting;
    this.#context = context;
    this.#plan = planFileOp(body, inputs.length);
  }

  /** The results by output index; they are the caller's, and stay valid after this run is disposed. */
  async run(): Promise<readonly ImmutableRef[]> {
    const outputs: ImmutableRef[] = [];
    for (const position of this.#plan.needed) {
      const step = this.#body.actions[position];
      if (!step) continue;
      const tree = await this.#act(step, position);
      this.#trees.set(position, tree);
      if (step.output !== -1 && !tree.mutable) outputs[step.output] = tree;
    }
    return outputs.map((ref) => ref.clone());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held[Symbol.asyncDispose]();
  }

  /** An input of the op, or what an earlier action made. */
  #tree(index: number): Tree | undefined {
    return index < this.#inputs.length ? this.#inputs[index] : this.#trees.get(index - this.#inputs.length);
  }

  async #act(step: FileStep, position: number): Promise<Tree> {
    const { progress, signal } = this.#context;
    signal.throwIfAborted();
    try {
      const target = await this.#target(step);
      const action = engineAction(step.action, (index) =>
        index === step.input ? target : this.#tree(index),
      );
      const source = this.#tree(step.secondaryInput);
      await this.#setting.worker.files.apply(target, action, source, progress, signal);
      return this.#plan.committed.has(position) ? await this.#held.use(await target.commit()) : target;
    } catch (error) {
      if (signal.aborted) throw error;
      throw BuildError.from(error).wrap(undefined, this.#solveDetail(position));
    }
  }

  /** The layer to write: a writable tree is continued, anything else gets a new layer. */
  async #target(step: FileStep): Promise<MutableRef> {
    const base = this.#tree(step.input);
    if (base?.mutable) return base;
    const { progress, signal } = this.#context;
    const options = { description: this.#setting.name };
    return this.#held.use(await this.#setting.worker.refs.create(base, options, progress, signal));
  }

  #solveDetail(position: number): ErrorDetail {
    return {
      type: 'solve',
      inputIds: this.#inputs.map((input) => input?.id ?? ''),
      // What failed actions wrote is gone.
      mountIds: this.#body.actions.map(() => ''),
      op: this.#setting.bytes,
      subject: { file: position },
      description: this.#setting.metadata.description,
    };
  }
}
