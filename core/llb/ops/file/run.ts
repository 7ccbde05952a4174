/**
 * Runs the actions of a file op, one after the other: they rarely are independent of each other. A tree moves along
 * its chain of actions as one writable layer (see plan.ts), and actions that follow each other on one tree go to the
 * file engine together.
 */
import { BuildError, type ErrorDetail } from '../../../contracts/errors.js';
import { FileStepError } from '../../../contracts/files.js';
import type { ImmutableRef, MutableRef } from '../../../contracts/refs.js';
import type { OpContext } from '../../../solver/op.js';
import { DisposeStack } from '../../../util/dispose.js';
import { BroughtTrees } from '../../bring.js';
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
    for (const positions of this.#plan.runs) {
      const last = positions.at(-1)!;
      const tree = await this.#act(positions);
      this.#trees.set(last, tree);
      const { output } = this.#step(last);
      if (output !== -1 && !tree.mutable) outputs[output] = tree;
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

  #step(position: number): FileStep {
    return this.#body.actions[position]!;
  }

  /** Every action continues the tree of the one before it. */
  async #act(positions: readonly number[]): Promise<Tree> {
    const { progress, signal } = this.#context;
    signal.throwIfAborted();
    try {
      const target = await this.#target(this.#step(positions[0]!));
      const steps = positions.map((position) => {
        const { action, input, secondaryInput } = this.#step(position);
        const treeAt = (index: number): Tree | undefined => (index === input ? target : this.#tree(index));
        return { action: engineAction(action, treeAt), source: this.#tree(secondaryInput) };
      });
      await this.#setting.worker.files.apply(target, steps, progress, signal);
      return this.#plan.committed.has(positions.at(-1)!)
        ? await this.#held.use(await target.commit())
        : target;
    } catch (error) {
      if (signal.aborted) throw error;
      const failed = error instanceof FileStepError ? positions[error.step] : positions[0];
      const why = error instanceof FileStepError ? error.cause : error;
      throw BuildError.from(why).wrap(undefined, this.#solveDetail(failed!));
    }
  }

  /** The layer to write: a writable tree is continued, anything else gets a new layer. */
  async #target(step: FileStep): Promise<MutableRef> {
    const base = this.#tree(step.input);
    if (base?.mutable) return base;
    const { progress, signal } = this.#context;
    const { worker, name } = this.#setting;
    // What is only copied from may lie with any worker.
    await using brought = await BroughtTrees.bring(worker, [base], progress, signal);
    const [below] = brought.trees;
    return await this.#held.use(await worker.refs.create(below, { description: name }, progress, signal));
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
