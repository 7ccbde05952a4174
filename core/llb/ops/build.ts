/** Solves a definition that another step wrote to a file. BuildKit: solver/llbsolver/ops/build.go. */
import { decodeDefinition } from '../../../proto/definition.js';
import { invalid } from '../../contracts/errors.js';
import type { LlbDefinition } from '../../contracts/frontend.js';
import type { ImmutableRef } from '../../contracts/refs.js';
import type { CacheMap, Op, OpContext, Result } from '../../solver/op.js';
import { buildKey } from '../keys/graph-keys.js';
import type { BuildBody } from '../model.js';
import { asRef } from '../refs.js';
import type { OpSetting } from './setting.js';

/** Definitions are small; this only keeps a wrong file from filling the memory. */
const sizeLimit = 64 * 1024 * 1024;

export class BuildOp implements Op {
  readonly heavy = false;
  readonly #body: BuildBody;
  readonly #setting: OpSetting;

  constructor(body: BuildBody, setting: OpSetting) {
    this.#body = body;
    this.#setting = setting;
  }

  async cacheMap(): Promise<{ readonly map: CacheMap; readonly done: boolean }> {
    const nothingRead = { selector: undefined, contentDigest: undefined };
    const deps = Array.from({ length: this.#setting.inputCount }, () => nothingRead);
    return { map: { digest: buildKey(this.#body), deps }, done: true };
  }

  async exec(
    inputs: readonly (Result | undefined)[],
    context: OpContext,
  ): Promise<readonly (Result | undefined)[]> {
    const input = asRef(inputs[this.#body.definitionInput]);
    const definition = await this.#read(input, context.signal);
    const edge = await this.#setting.loadNested(definition, context.signal);
    return [edge && (await context.build(edge))];
  }

  async #read(ref: ImmutableRef | undefined, signal: AbortSignal): Promise<LlbDefinition> {
    const path = this.#body.attrs.get('llbbuild.filename') ?? 'buildkit.llb.definition';
    if (!ref) throw invalid('llb.invalid', `the definition ${path} is to be read from an empty tree`);
    const { files } = this.#setting.worker;
    const { size } = await files.statFile(ref, path, signal);
    if (size > sizeLimit) throw invalid('llb.invalid', `the definition ${path} is too large: ${size} bytes`);
    const bytes = await files.readFile(ref, path, { offset: 0 }, signal);
    try {
      return decodeDefinition(bytes);
    } catch (cause) {
      throw invalid('llb.invalid', `${path} holds no LLB definition: ${(cause as Error).message}`, { cause });
    }
  }
}
