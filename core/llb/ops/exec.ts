/** Runs a process in the trees of its inputs; what it wrote becomes the results. Wire facts E5.3, E5.17. */
import type { ContainerEdits } from '../../contracts/devices.js';
import { BuildError } from '../../contracts/errors.js';
import type { ExecSpec } from '../../contracts/executor.js';
import type { Progress } from '../../contracts/progress.js';
import type { ImmutableRef } from '../../contracts/refs.js';
import { traceBelow } from '../../contracts/step-span.js';
import type { CacheMap, CacheMapDep, Op, OpContext, Result } from '../../solver/op.js';
import { newId } from '../../util/identity.js';
import { BroughtTrees } from '../bring.js';
import { contentDigester, dedupePaths, pathListDigest, plainSelector } from '../content-selectors.js';
import { type ExecDep, execDeps } from '../keys/exec-deps.js';
import { execKey } from '../keys/exec-key.js';
import { LimitedLog, type LogLimits } from '../log-limiter.js';
import type { ExecBody } from '../model.js';
import { asRef } from '../refs.js';
import type { LlbServices } from '../services.js';
import { tellingInput } from './cache-failure.js';
import { exitFailure, isSuccess, runFailure, solveDetail } from './exec/failure.js';
import { PreparedMounts } from './exec/mounts.js';
import { processSpec } from './exec/process.js';
import { secretEnv } from './exec/secrets.js';
import { type StepTraces, stepTraces } from './exec/step-traces.js';
import type { OpSetting } from './setting.js';

export class ExecOp implements Op {
  readonly heavy = true;
  readonly #body: ExecBody;
  readonly #setting: OpSetting;
  readonly #services: LlbServices;
  readonly #map: CacheMap;

  constructor(body: ExecBody, setting: OpSetting, services: LlbServices) {
    this.#body = body;
    this.#setting = setting;
    this.#services = services;
    this.#map = {
      digest: execKey(body, setting.platform),
      deps: execDeps(body.mounts, setting.inputCount).map((dep, i) => this.#dep(dep, i)),
    };
  }

  get pool(): string {
    return this.#setting.worker.profile.id;
  }

  get body(): ExecBody {
    return this.#body;
  }

  async cacheMap(): Promise<{ readonly map: CacheMap; readonly done: boolean }> {
    return { map: this.#map, done: true };
  }

  async exec(
    inputs: readonly (Result | undefined)[],
    context: OpContext,
  ): Promise<readonly (Result | undefined)[]> {
    const { progress, signal } = context;
    await using brought = await BroughtTrees.bring(this.#setting.worker, inputs.map(asRef), progress, signal);
    const refs = brought.trees;
    const failed = (error: unknown, left = nothingLeft): unknown =>
      context.signal.aborted
        ? error
        : BuildError.from(error).wrap(undefined, solveDetail(this.#body, refs, left, this.#setting));
    const fail = (error: unknown): never => {
      throw failed(error);
    };
    await using mounts = await this.#prepare(refs, context).catch(fail);
    const secrets = await this.#secrets(context).catch(fail);
    try {
      await this.#runProcess(mounts, secrets, context);
    } catch (error) {
      if (context.signal.aborted) throw error;
      throw failed(error, await this.#keepTrees(mounts, context));
    }
    // Awaited here, because leaving this scope drops what is not committed by then.
    return await traceBelow(this.#services.tracing, 'commit', {}, progress, () => mounts.commit()).catch(
      fail,
    );
  }

  #prepare(refs: readonly (ImmutableRef | undefined)[], context: OpContext): Promise<PreparedMounts> {
    const { sessions, signal } = context;
    return traceBelow(this.#services.tracing, 'prepare mounts', {}, context.progress, (progress) =>
      PreparedMounts.prepare(this.#body, refs, this.#setting, this.#services, { progress, sessions, signal }),
    );
  }

  /** Held until nobody can ask for them any more; then they are no cache worth keeping. */
  async #keepTrees(mounts: PreparedMounts, context: OpContext): Promise<ReadonlyMap<number, ImmutableRef>> {
    const { refs } = this.#setting.worker;
    const trees = await mounts.commitFailed();
    for (const tree of trees.values()) {
      context.keep({
        [Symbol.asyncDispose]: async () => {
          await tree[Symbol.asyncDispose]();
          await refs.removeUnused([tree.id]);
        },
      });
    }
    return trees;
  }

  #dep({ selectors, contentBased }: ExecDep, index: number): CacheMapDep {
    return {
      selector: selectors.length > 0 ? pathListDigest(selectors) : undefined,
      contentDigest: contentBased
        ? tellingInput(this.#contentDigest(selectors), index, this.#setting)
        : undefined,
    };
  }

  #contentDigest(selectors: readonly string[]): NonNullable<CacheMapDep['contentDigest']> {
    const paths = dedupePaths(selectors);
    const whole = paths.some((path) => path === '/');
    return contentDigester(this.#setting.worker, whole ? [] : paths.map((path) => plainSelector(path, true)));
  }

  #secrets({ sessions, signal }: OpContext): Promise<string[]> {
    return secretEnv(this.#services.sessions, sessions, this.#body.secretEnv, signal);
  }

  /** Looked up when it runs: what describes them may have changed since it was loaded. */
  #edits(): ContainerEdits | undefined {
    const { cdiDevices } = this.#body;
    if (cdiDevices.length === 0) return undefined;
    const { devices } = this.#services;
    const names = devices.resolve(cdiDevices);
    return names.length > 0 ? devices.edits(names) : undefined;
  }

  async #runProcess(
    mounts: PreparedMounts,
    secrets: readonly string[],
    { progress, signal }: OpContext,
  ): Promise<void> {
    const { tracing, traceSocket, logLimits } = this.#services;
    const process = processSpec(this.#body, this.#setting, secrets, this.#edits());
    const specOf = ({ env, mounts: more }: StepTraces): ExecSpec => ({
      id,
      process: { ...process, env: [...process.env, ...env] },
      root: mounts.root,
      mounts: [...mounts.mounts, ...more],
      progress,
    });
    const id = newId();
    signal.throwIfAborted();
    const log = new StepLog(progress, logLimits);
    const tags = { args: this.#body.meta.args.join(' '), container: id };
    try {
      const result = await traceBelow(tracing, 'run process', tags, progress, ({ span }) =>
        this.#setting.worker.executor.run(specOf(stepTraces(traceSocket, tracing, span)), log, signal),
      ).catch((error: unknown) => {
        throw signal.aborted ? error : runFailure(this.#body, error);
      });
      if (!isSuccess(this.#body, result)) throw exitFailure(this.#body, result, this.#setting);
    } catch (error) {
      log.flushTails();
      throw error;
    }
  }
}

const nothingLeft: ReadonlyMap<number, ImmutableRef> = new Map();

/** Both streams of a step, each within its limits. */
class StepLog {
  readonly #out: LimitedLog;
  readonly #err: LimitedLog;

  constructor(progress: Progress, limits: LogLimits) {
    this.#out = new LimitedLog(progress, 'stdout', limits);
    this.#err = new LimitedLog(progress, 'stderr', limits);
  }

  stdout(data: Uint8Array): void {
    this.#out.write(data);
  }

  stderr(data: Uint8Array): void {
    this.#err.write(data);
  }

  flushTails(): void {
    this.#out.flushTail();
    this.#err.flushTail();
  }
}
