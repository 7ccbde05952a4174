import { BuildError, isCanceled, notFound } from '../contracts/errors.js';
import type { FileEngine, TreeStat } from '../contracts/files.js';
import type { Explain, GatewayRef, LlbDefinition } from '../contracts/frontend.js';
import type { ImmutableRef } from '../contracts/refs.js';
import type { Workers } from '../contracts/worker.js';
import { asRef } from '../llb/refs.js';
import type { Edge } from '../solver/op.js';
import { joinPath } from '../util/gofs/path.js';
import { newId } from '../util/identity.js';
import { SharedWork } from '../util/shared-work.js';
import type { BuildScope } from './build-scope.js';
import type { FailedTrees } from './failed-trees.js';
import type { BridgeJob } from './job.js';
import { withSource } from './source-map.js';

interface RefSetting {
  readonly job: BridgeJob;
  readonly workers: Workers;
  readonly failedTrees: FailedTrees;
  readonly explain?: Explain | undefined;
  readonly scope: BuildScope;
}

/** A definition's result, solved when it is first needed and kept until the bridge goes. */
export class BridgeRef implements GatewayRef, AsyncDisposable {
  readonly id = newId();
  readonly definition: LlbDefinition;
  /** What source policies made of it. */
  readonly #loaded: LlbDefinition;
  /** undefined: scratch. */
  readonly edge: Edge | undefined;
  /** Who asked for it. */
  readonly scope: BuildScope;
  #isSolved = false;
  readonly #workers: Workers;
  readonly #failedTrees: FailedTrees;
  readonly #explain: Explain | undefined;
  readonly #result: SharedWork<ImmutableRef | undefined>;

  constructor(
    { definition, loaded }: { readonly definition: LlbDefinition; readonly loaded: LlbDefinition },
    edge: Edge | undefined,
    { job, workers, failedTrees, explain, scope }: RefSetting,
  ) {
    this.definition = definition;
    this.#loaded = loaded;
    this.edge = edge;
    this.#workers = workers;
    this.#failedTrees = failedTrees;
    this.#explain = explain;
    this.scope = scope;
    this.#result = new SharedWork(
      async (signal) => {
        const tree = edge ? asRef(await job.build(edge, signal)) : undefined;
        this.#isSolved = true;
        return tree;
      },
      (ref) => ref?.[Symbol.asyncDispose](),
    );
  }

  /** Whether somebody needed it, and got it. */
  get isSolved(): boolean {
    return this.#isSolved;
  }

  /** The solved tree, undefined for scratch. It is borrowed: clone it to keep it longer than the bridge. */
  async result(signal: AbortSignal): Promise<ImmutableRef | undefined> {
    try {
      return await this.#result.get(signal);
    } catch (error) {
      await this.#failedTrees.keep(error);
      const located = withSource(error, this.#loaded);
      if (!this.#explain || isCanceled(located)) throw located;
      throw await this.#explain(located, signal);
    }
  }

  async evaluate(signal: AbortSignal): Promise<void> {
    await this.result(signal);
  }

  async readFile(
    path: string,
    { offset = 0, length }: { readonly offset?: number; readonly length?: number },
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const ref = await this.result(signal);
    if (!ref) throw nothingAt(path);
    const range = { offset, ...(length === undefined ? {} : { length }) };
    return this.#files(ref).readFile(ref, path, range, signal);
  }

  async readDir(
    path: string,
    includePattern: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly TreeStat[]> {
    const ref = await this.result(signal);
    if (ref) return this.#files(ref).readDir(ref, path, includePattern, signal);
    if (joinPath('/', path) === '/') return [];
    throw nothingAt(path);
  }

  async statFile(path: string, signal: AbortSignal): Promise<TreeStat> {
    const ref = await this.result(signal);
    if (!ref) throw nothingAt(path);
    return this.#files(ref).statFile(ref, path, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#result[Symbol.asyncDispose]();
  }

  #files({ workerId }: ImmutableRef): FileEngine {
    const worker = this.#workers.get(workerId);
    if (worker) return worker.files;
    throw new BuildError('worker.gone', `worker ${workerId}, which keeps the tree, is gone`, {
      grpcCode: 'FailedPrecondition',
    });
  }
}

/** The tree is scratch: nothing is in it. */
const nothingAt = (path: string): BuildError =>
  notFound('file.not-found', `${path}: no such file or directory`);
