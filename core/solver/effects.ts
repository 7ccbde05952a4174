/**
 * The asynchronous steps of a task. An effect only adds facts when it settles; what follows from them is decided at
 * the task's next turn. A value that arrives after an abort is kept: somebody may ask again.
 */
import { BuildError, isCanceled } from '../contracts/errors.js';
import type { SessionGroup } from '../contracts/session.js';
import type { Digest } from '../util/digest.js';
import { addContentDigest, addKey, addMap, inputKeys } from './facts.js';
import { isVolatile, rootKey } from './keys/key-id.js';
import { originsOf } from './keys/link.js';
import type { Result, ResultStore } from './op.js';
import type { OpContexts } from './op-context.js';
import type { LoadedResult, StoredRecords } from './records.js';
import type { Clock, Stop } from './seams.js';
import type { Slot, Slots } from './slots.js';
import type { StepSpans } from './step-spans.js';
import type { Output, Task } from './task.js';
import { whyRun } from './verdicts.js';

/** At most one of each name runs at a time. */
export type EffectName = 'map' | 'exec' | 'save' | `digest ${number}` | `load ${number}`;

export interface Effect<T = unknown> {
  work(stop: Stop): Promise<T>;
  done(value: T): void;
  /** A failure that is no abort. Absent: it fails the task. */
  failed?(error: unknown): void;
}

export interface EffectServices {
  readonly records: StoredRecords;
  readonly results: ResultStore;
  readonly contexts: OpContexts;
  readonly spans: StepSpans;
  readonly slots: Slots;
  readonly clock: Clock;
  /** Work that nobody waits for, but that must be over before the solver is closed. */
  background(what: string, work: Promise<unknown>): void;
}

export function makeEffect(
  task: Task,
  name: EffectName,
  sessions: SessionGroup,
  services: EffectServices,
): Effect {
  if (name === 'map') return mapEffect(task, sessions, services) as Effect;
  if (name === 'exec') return execEffect(task, sessions, services) as Effect;
  if (name === 'save') return saveEffect(task, services) as Effect;
  const [kind, index] = name.split(' ');
  return kind === 'digest'
    ? (digestEffect(task, Number(index), sessions, services) as Effect)
    : (loadEffect(task.outputs[Number(index)]!, services) as Effect);
}

function mapEffect(
  task: Task,
  sessions: SessionGroup,
  { contexts, spans }: EffectServices,
): Effect<Awaited<ReturnType<OpMap>>> {
  const visible = task.isRoot;
  const ask = (stop: Stop): ReturnType<OpMap> =>
    contexts.use(task, sessions, stop, undefined, (context) =>
      task.vertex.op.cacheMap(task.maps.length, context),
    );
  return {
    work: (stop) =>
      wrapped('failed to load cache key', () =>
        visible ? shown(task, false, () => spans.key(task, () => ask(stop))) : ask(stop),
      ),
    done: ({ map, done }) => addMap(task, map, done),
  };
}
type OpMap = Task['vertex']['op']['cacheMap'];

function digestEffect(
  task: Task,
  index: number,
  sessions: SessionGroup,
  { contexts, spans }: EffectServices,
): Effect<Digest> {
  const input = task.inputs[index]!;
  return {
    work: (stop) =>
      wrapped('failed to compute cache key', () =>
        shownIfFailing(task, stop, () =>
          spans.child(task, 'content digest', { input: index }, () =>
            contexts.use(task, sessions, stop, undefined, (context) =>
              input.dep!.contentDigest!(input.source.result?.value, context),
            ),
          ),
        ),
      ),
    done: (digest) => addContentDigest(input, digest),
  };
}

function loadEffect(output: Output, services: EffectServices): Effect<LoadedResult> {
  const { task } = output;
  const { records, spans } = services;
  const record = output.bestRecord!;
  return {
    work: (stop) =>
      shown(task, true, () =>
        spans.child(task, 'load', { record: record.id }, () => records.load(task, record.id, stop.signal)),
      ),
    done: ({ value, recordId, keys, from }) => {
      const origin = from === undefined ? '' : ` in the cache from ${from}`;
      task.verdict ??= {
        outcome: 'cached',
        because: `a record of ${when(record.createdAt)}${origin} has the same key`,
      };
      // What is built on an imported result is found by the keys that it has here.
      for (const key of keys) addKey(output, key);
      setResult(output, value, record.createdAt, recordId, services);
      shareRecord(output, { id: recordId, createdAt: record.createdAt }, services);
      spans.finish(task, true);
    },
    failed: (error) => {
      output.unusable.push(record.id);
      if (BuildError.from(error).grpcCode === 'NotFound') records.drop(record.id);
      spans.fail(task, error);
    },
  };
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

function execEffect(
  task: Task,
  sessions: SessionGroup,
  services: EffectServices,
): Effect<readonly (Result | undefined)[]> {
  const { contexts, slots, spans } = services;
  const because = whyRun(task);
  const run = async (stop: Stop): Promise<readonly (Result | undefined)[]> => {
    const take = (): Promise<Slot> => slots.take(task.distance, stop.signal);
    const wait = (): Promise<Slot> => (slots.full ? spans.child(task, 'wait for a slot', {}, take) : take());
    using slot = task.vertex.op.heavy ? await wait() : undefined;
    const inputs = task.inputs.map(({ source }) => source.result?.value);
    return await shown(task, false, () =>
      spans.child(task, 'exec', {}, () =>
        contexts.use(task, sessions, stop, slot, (context) => task.vertex.op.exec(inputs, context)),
      ),
    );
  };
  return {
    work: run,
    done: (values) => {
      checkCount(task, values, services);
      task.verdict = { outcome: 'ran', because };
      const createdAt = services.clock.now();
      task.outputs.forEach((output, i) => {
        addOwnKeys(output, services);
        setResult(output, values[i], createdAt, undefined, services);
      });
      task.executed = true;
      spans.finish(task, false);
    },
  };
}

function saveEffect(task: Task, { records, results, spans, background }: EffectServices): Effect<void> {
  return {
    work: (stop) =>
      spans.child(task, 'save', {}, async () => {
        for (const output of task.outputs) await save(output, stop);
      }),
    done: () => {
      task.saved = true;
    },
    failed: (error) => {
      // The result is good; it is only not found again by a later build.
      task.saved = true;
      spans.warn(`the result of ${task.name} could not be recorded`, error);
    },
  };

  async function save(output: Output, stop: Stop): Promise<void> {
    const held = output.result;
    const keys = output.allKeys.filter((key) => !isVolatile(key));
    if (!held || held.recordId !== undefined || keys.length === 0) return;
    const id = await results.save(held.value, stop);
    output.result = { ...held, recordId: id };
    for (const old of await records.keys.addResult(keys, { id, createdAt: held.createdAt })) {
      background('release a result', results.release(old));
    }
  }
}

/** Keys that this output has because its inputs have theirs; known at last, since it ran. */
function addOwnKeys(output: Output, { records, background }: EffectServices): void {
  const { task } = output;
  if (task.isRoot) {
    for (const { digest } of task.maps) addKey(output, rootKey(digest, output.index));
    return;
  }
  const inputs = task.inputs.map((input) => inputKeys(output, input, input.source.allKeys));
  const key = output.keys[0] ?? records.keys.resolve(inputs);
  addKey(output, key);
  background('link keys', records.keys.link(inputs.flatMap(originsOf), key));
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

/** Shows the vertex started and completed round `work`. */
async function shown<T>(task: Task, cached: boolean, work: () => Promise<T>): Promise<T> {
  task.log.started(cached);
  try {
    const value = await work();
    task.log.completed();
    return value;
  } catch (error) {
    task.log.completed(error);
    throw error;
  }
}

/** The row of the step has the error as it is; the build says what for. BuildKit: solver/edge.go. */
async function wrapped<T>(prefix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isCanceled(error)) throw error;
    throw BuildError.from(error).wrap(prefix);
  }
}

/** Work that is no row of its own; a failure has to be seen at the step it belongs to. */
async function shownIfFailing<T>(task: Task, stop: Stop, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!stop.aborted) {
      task.log.started(false);
      task.log.completed(error);
    }
    throw error;
  }
}

function checkCount(task: Task, values: readonly (Result | undefined)[], services: EffectServices): void {
  if (values.length === task.outputs.length) return;
  for (const value of values) discard(value, services);
  const counts = `${values.length} results for ${task.outputs.length} outputs`;
  throw new BuildError('solver.bad-results', `${task.name} made ${counts}`, { grpcCode: 'Internal' });
}

const when = (time: number): string => new Date(time).toISOString();
