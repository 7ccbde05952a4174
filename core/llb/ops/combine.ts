/** The ops that make a tree of trees, or hand trees on, without running or reading anything. Wire facts E5.6, E7.5. */
import type { ImmutableRef } from '../../contracts/refs.js';
import type { CacheMap, Op, OpContext, Result } from '../../solver/op.js';
import type { Digest } from '../../util/digest.js';
import { BroughtTrees } from '../bring.js';
import { diffKey, mergeKey, passthroughKey } from '../keys/graph-keys.js';
import type { DiffBody, MergeBody, PassthroughBody } from '../model.js';
import { asRef } from '../refs.js';
import type { OpSetting } from './setting.js';

type Combined = readonly (Result | undefined)[];

/** Its inputs are known by their definitions only: the result holds all of them, so their content says no more. */
abstract class CombiningOp implements Op {
  readonly heavy = false;
  readonly #map: CacheMap;

  constructor(digest: Digest, inputCount: number) {
    const whole = { selector: undefined, contentDigest: undefined };
    this.#map = { digest, deps: Array.from({ length: inputCount }, () => whole) };
  }

  async cacheMap(): Promise<{ readonly map: CacheMap; readonly done: boolean }> {
    return { map: this.#map, done: true };
  }

  abstract exec(inputs: Combined, context: OpContext): Promise<Combined>;
}

/** Layers its inputs; later ones win. */
export class MergeOp extends CombiningOp {
  readonly #body: MergeBody;
  readonly #setting: OpSetting;

  constructor(body: MergeBody, setting: OpSetting) {
    super(mergeKey(body), setting.inputCount);
    this.#body = body;
    this.#setting = setting;
  }

  async exec(inputs: Combined, { progress, signal }: OpContext): Promise<Combined> {
    const { worker, name } = this.#setting;
    const trees = this.#body.inputs.map((input) => treeAt(inputs, input));
    await using brought = await BroughtTrees.bring(worker, trees, progress, signal);
    return [await worker.refs.merge(brought.trees, { description: name })];
  }
}

/** What makes one input of the other. */
export class DiffOp extends CombiningOp {
  readonly #body: DiffBody;
  readonly #setting: OpSetting;

  constructor(body: DiffBody, setting: OpSetting) {
    super(diffKey(body), setting.inputCount);
    this.#body = body;
    this.#setting = setting;
  }

  async exec(inputs: Combined, { progress, signal }: OpContext): Promise<Combined> {
    const { worker, name } = this.#setting;
    const trees = [this.#body.lower, this.#body.upper].map((input) => treeAt(inputs, input));
    await using brought = await BroughtTrees.bring(worker, trees, progress, signal);
    const [lower, upper] = brought.trees;
    return [await worker.refs.diff(lower, upper, { description: name })];
  }
}

/** Hands on some of its inputs once all of them are there: an order without data. */
export class PassthroughOp extends CombiningOp {
  readonly #body: PassthroughBody;

  constructor(body: PassthroughBody, setting: OpSetting) {
    super(passthroughKey(body), setting.inputCount);
    this.#body = body;
  }

  async exec(inputs: Combined): Promise<Combined> {
    return this.#body.outputs.map((input) => inputs[input]?.clone());
  }
}

const treeAt = (inputs: Combined, index: number): ImmutableRef | undefined =>
  index === -1 ? undefined : asRef(inputs[index]);
