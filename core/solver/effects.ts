/**
 * The kinds of asynchronous steps. An effect only adds facts when it settles; what follows from them is decided at
 * the task's next turn. A value that arrives after an abort is kept: somebody may ask again.
 */
import { BuildError, isCanceled } from '../contracts/errors.js';
import type { Digest } from '../util/digest.js';
import { append } from '../util/lists.js';
import { Effect, type EffectName } from './effect.js';
import { addContentDigest, addKey, addMap } from './facts.js';
import { isVolatile, rootKey } from './keys/key-id.js';
import type { Op, Result, ResultStore } from './op.js';
import type { LoadedResult, StoredRecords } from './records.js';
import type { Clock } from './seams.js';
import type { Slot, SlotPools } from './slots.js';
import type { StepSpans } from './step-spans.js';
import type { SubBuilds } from './subbuild.js';
import type { Input, Output, Task } from './task.js';
import { whyRun } from './verdicts.js';

export interface EffectServices {
  readonly records: StoredRecords;
  readonly results: ResultStore;
  readonly builds: SubBuilds;
  readonly spans: StepSpans;
  readonly slots: SlotPools;
  readonly clock: Clock;
  /** Work that nobody waits for, but that must be over before the solver is closed. */
  background(what: string, work: Promise<unknown>): void;
}

export function makeEffect(task: Task, name: EffectName, services: EffectServices): Effect {
  if (name === 'map') return new MapEffect(task, services);
  if (name === 'exec') return new ExecEffect(task, services);
  if (name === 'save') return new SaveEffect(task, services);
  const [kind, index] = name.split(' ');
  return kind === 'digest'
    ? new DigestEffect(task.inputs[Number(index)]!, services)
    : new LoadEffect(task.outputs[Number(index)]!, services);
}

type MapAnswer = Awaited<ReturnType<Op['cacheMap']>>;

class MapEffect extends Effect<MapAnswer> {
  readonly name = 'map';

  work(): Promise<MapAnswer> {
    const { task } = this;
    if (!task.isRoot) return this.#ask();
    this.show(false);
    return this.tracedKey(() => this.#ask());
  }

  done({ map, done }: MapAnswer): void {
    addMap(this.task, map, done);
  }

  protected override explained(error: unknown): unknown {
    return wrapped('failed to load cache key', error);
  }

  #ask(): Promise<MapAnswer> {
    return this.task.vertex.op.cacheMap(this.task.maps.length, this);
  }
}

class DigestEffect extends Effect<Digest> {
  readonly name: EffectName;
  readonly #input: Input;

  constructor(input: Input, services: EffectServices) {
    super(input.task, services);
    this.#input = input;
    this.name = `digest ${input.index}`;
  }

  override enlist(): void {
    this.#input.digesting = this;
    this.task.digesting++;
  }

  /** It may be wanted again if it did not succeed, and an input is only visited when something is new there. */
  protected override discharge(): void {
    this.#input.digesting = undefined;
    this.task.digesting--;
    this.task.touch(this.#input);
  }

  work(): Promise<Digest> {
    const { dep, index, source } = this.#input;
    return this.traced('content digest', { input: index }, () =>
      dep!.contentDigest!(source.result?.value, this),
    );
  }

  done(digest: Digest): void {
    addContentDigest(this.#input, digest);
  }

  /** It is no row of its own; a failure has to be seen at the step it belongs to. */
  protected override explained(error: unknown): unknown {
    if (!this.aborted) {
      this.task.log.started(false);
      this.task.log.completed(error);
    }
    return wrapped('failed to compute cache key', error);
  }
}

class LoadEffect extends Effect<LoadedResult> {
  readonly name: EffectName;
  readonly #output: Output;
  readonly #record: NonNullable<Output['bestRecord']>;

  constructor(output: Output, services: EffectServices) {
    super(output.task, services);
    this.#output = output;
    this.#record = output.bestRecord!;
    this.name = `load ${output.index}`;
  }

  work(): Promise<LoadedResult> {
    const { records } = this.services;
    const { id } = this.#record;
    this.show(true);
    return this.traced('load', { record: id }, () => records.load(this.task, id, this.signal));
  }

  done({ value, recordId, keys, from }: LoadedResult): void {
    const { services, task } = this;
    const { createdAt } = this.#record;
    const origin = from === undefined ? '' : ` in the cache from ${from}`;
    task.verdict ??= {
      outcome: 'cached',
      because: `a record of ${when(createdAt)}${origin} has the same key`,
    };
    // What is built on an imported result is found by the keys that it has here.
    for (const key of keys) addKey(this.#output, key);
    setResult(this.#output, value, createdAt, recordId, services);
    shareRecord(this.#output, { id: recordId, createdAt }, services);
    services.spans.finish(task, true);
  }

  override survives(error: unknown): boolean {
    const { records, spans } = this.services;
    this.#output.unusable = append(this.#output.unusable, this.#record.id);
    if (BuildError.from(error).grpcCode === 'NotFound') records.drop(this.#record.id);
    spans.fail(this.task, error);
    return true;
  }
}

/** All keys of a step without inputs name the same result, not only the one that was found. */
function shareRecord(
  output: Output,
  record: { readonly id: string; readonly createdAt: number },
  services: EffectServices,
): void {
  if (!output.task.isRoot || output.keys.length < 2) return;
  services.background('share a record', services.records.keys.addResult(output.keys, record));
}

class ExecEffect extends Effect<readonly (Result | undefined)[]> {
  readonly name = 'exec';
  readonly #because: string;

  constructor(task: Task, services: EffectServices) {
    super(task, services);
    this.#because = whyRun(task);
  }

  work(): Promise<readonly (Result | undefined)[]> {
    return this.task.vertex.op.heavy ? this.#runInSlot() : this.#run();
  }

  done(values: readonly (Result | undefined)[]): void {
    const { services, task } = this;
    checkCount(task, values, services);
    task.verdict = { outcome: 'ran', because: this.#because };
    const createdAt = services.clock.now();
    task.outputs.forEach((output, i) => {
      addOwnKeys(output, services);
      setResult(output, values[i], createdAt, undefined, services);
    });
    task.executed = true;
    services.spans.finish(task, false);
  }

  async #runInSlot(): Promise<readonly (Result | undefined)[]> {
    using slot = await this.#takeSlot();
    this.slot = slot;
    return await this.#run();
  }

  #run(): Promise<readonly (Result | undefined)[]> {
    const { task } = this;
    const inputs = task.inputs.map(({ source }) => source.result?.value);
    this.show(false);
    return this.traced('exec', {}, () => task.vertex.op.exec(inputs, this));
  }

  #takeSlot(): Promise<Slot> {
    const slots = this.services.slots.of(this.task.vertex.op.pool);
    const take = (): Promise<Slot> => slots.take(this.task.distance, this.signal);
    return slots.full ? this.traced('wait for a slot', {}, take) : take();
  }
}

class SaveEffect extends Effect<void> {
  readonly name = 'save';

  work(): Promise<void> {
    return this.traced('save', {}, () => this.#save());
  }

  done(): void {
    this.task.saved = true;
  }

  /** Nothing follows from a result that is saved, unless only the saving kept its task. */
  override get matters(): boolean {
    return !this.task.saved || !this.task.owned;
  }

  /** The result is good; it is only not found again by a later build. */
  override survives(error: unknown): boolean {
    this.task.saved = true;
    this.services.spans.warn(`the result of ${this.task.name} could not be recorded`, error);
    return true;
  }

  async #save(): Promise<void> {
    const { background, records, results } = this.services;
    for (const output of this.task.outputs) {
      const held = output.result;
      const keys = output.allKeys.filter((key) => !isVolatile(key));
      if (!held || held.recordId !== undefined || keys.length === 0) continue;
      const id = await results.save(held.value, this);
      output.result = { ...held, recordId: id };
      for (const old of await records.keys.addResult(keys, { id, createdAt: held.createdAt })) {
        background('release a result', results.release(old));
      }
    }
  }
}

/** Keys that this output has because its inputs have theirs; known at last, since it ran. */
function addOwnKeys(output: Output, { records }: EffectServices): void {
  const { task } = output;
  if (task.isRoot) {
    for (const { digest } of task.maps) addKey(output, rootKey(digest, output.index));
    return;
  }
  const inputs = task.inputs.map((input) => output.keysOf(input));
  const key = output.keys[0] ?? records.keys.resolve(inputs);
  addKey(output, key);
  records.link(inputs, key);
}

function setResult(
  output: Output,
  value: Result | undefined,
  createdAt: number,
  recordId: string | undefined,
  services: EffectServices,
): void {
  if (output.result) {
    discard(value, services);
    return;
  }
  output.result = { value, createdAt, recordId };
  output.task.changed = true;
}

function discard(value: Result | undefined, { background }: EffectServices): void {
  if (value) background('dispose a result', Promise.resolve(value[Symbol.asyncDispose]()));
}

function wrapped(prefix: string, error: unknown): unknown {
  return isCanceled(error) ? error : BuildError.from(error).wrap(prefix);
}

function checkCount(task: Task, values: readonly (Result | undefined)[], services: EffectServices): void {
  if (values.length === task.outputs.length) return;
  for (const value of values) discard(value, services);
  const counts = `${values.length} results for ${task.outputs.length} outputs`;
  throw new BuildError('solver.bad-results', `${task.name} made ${counts}`, { grpcCode: 'Internal' });
}

const when = (time: number): string => new Date(time).toISOString();
