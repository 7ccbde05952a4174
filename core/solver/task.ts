/**
 * One vertex, with all its outputs: what is known about it. Facts only grow; what follows from them is planned anew
 * at every turn (plan.ts). Relations (demands, owners, leaders) say who is interested.
 */
import type { BuildError } from '../contracts/errors.js';
import type { Span } from '../contracts/tracing.js';
import type { Deferred } from '../util/deferred.js';
import type { Digest } from '../util/digest.js';
import { append, none } from '../util/lists.js';
import { Demand } from './demand.js';
import type { Effect, EffectName } from './effect.js';
import type { Job } from './job.js';
import { contentKey, type KeyId, rootKey } from './keys/key-id.js';
import type { StoredResult } from './keys/key-tables.js';
import { type InputKeys, type OriginName, originName } from './keys/link.js';
import type { Matching } from './matching.js';
import type { CacheMap, CacheMapDep, Result, Vertex } from './op.js';
import type { Asking } from './plan.js';
import type { TaskLog } from './progress/task-log.js';
import { type Stage, stages } from './stage.js';

/** What keeps a task in the table besides the tasks that read it: a job, a task that follows it, a step that builds it. */
export type Owner = Task | object;

export interface TaskOptions {
  readonly vertex: Vertex;
  /** Rises with every task; the older of two equal tasks leads. */
  readonly serial: number;
  readonly inputs: readonly Output[];
  readonly log: TaskLog;
}

export class Task {
  readonly vertex: Vertex;
  readonly serial: number;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  readonly log: TaskLog;

  // Facts.
  maps: readonly CacheMap[] = none;
  mapsDone = false;
  failure: BuildError | undefined;
  /** How its result came about, for people. */
  verdict: Verdict | undefined;
  /** All outputs have results of its own run. */
  executed = false;
  saved = false;
  swept = false;

  // Counters over the inputs.
  resultsMissing: number;
  digestsMissing = 0;
  definitionsOpen: number;
  contentsOpen: number;
  keysMissing: number;
  failedInput: Input | undefined;

  // Relations.
  /** Inputs of live tasks that read it. */
  readers = 0;
  owners: readonly Owner[] = none;
  /** Every job that this task was ever a part of and that still lives. A list: few builds share a step. */
  jobs: readonly Job[] = none;
  /** Effects on their way, but for digests of inputs: each input has its own. */
  running: readonly Effect[] = none;
  digesting = 0;
  leader: Task | undefined;
  /** Tasks that a running step of this one waits for, as often as it does. */
  building: readonly Task[] = none;
  span: Span | undefined;
  /** What its op wants held until it is swept. */
  held: readonly AsyncDisposable[] = none;

  /** Somebody waits for it to go. */
  departure: Departure | undefined;

  // What the next turn looks at.
  /** It waits for a turn. */
  queued = false;
  /** Something others can see is new. */
  changed = false;
  #touched: readonly Input[] = none;
  /** How many cache maps the live index has (steps without inputs). */
  indexedMaps = 0;
  /** The input that no other task shared when the live index last looked. */
  witness = 0;
  /** How the inputs were asked at the last turn. */
  asking: Asking | undefined;
  /** Greater than that of everything it waits for (ranks.ts). */
  rank: number;
  /** Steps on the longest known path that leads from here to a result. */
  distance = 0;

  constructor({ vertex, serial, inputs, log }: TaskOptions) {
    this.vertex = vertex;
    this.serial = serial;
    this.log = log;
    this.inputs = inputs.map((source, index) => new Input(this, index, source));
    this.outputs =
      vertex.outputs === 1
        ? [new Output(this, 0)]
        : Array.from({ length: vertex.outputs }, (_, index) => new Output(this, index));
    this.resultsMissing = inputs.length;
    this.definitionsOpen = inputs.length;
    this.contentsOpen = inputs.length;
    this.keysMissing = inputs.length;
    this.rank = inputs.reduce((highest, { task }) => Math.max(highest, task.rank + 1), 0);
  }

  /** Inputs with something new, each once. */
  get touched(): readonly Input[] {
    return this.#touched;
  }

  keep(held: AsyncDisposable): void {
    this.held = append(this.held, held);
  }

  touch(input: Input): void {
    if (input.touched) return;
    input.touched = true;
    this.#touched = append(this.#touched, input);
  }

  /** They were looked at. */
  takeTouched(): readonly Input[] {
    const touched = this.#touched;
    this.#touched = none;
    for (const input of touched) input.touched = false;
    return touched;
  }

  get name(): string {
    return this.vertex.name;
  }

  get digest(): Digest {
    return this.vertex.digest;
  }

  get isRoot(): boolean {
    return this.inputs.length === 0;
  }

  /** Only steps without inputs have more than one. */
  get map(): CacheMap | undefined {
    return this.maps[0];
  }

  /** Every cache map there is was read. */
  get mapped(): boolean {
    return this.isRoot ? this.mapsDone : this.maps.length > 0;
  }

  /** It loads, runs or has run: leadership does not pass to another any more. */
  get begun(): boolean {
    return (
      this.failure !== undefined ||
      this.outputs.some(({ result }) => result !== undefined) ||
      this.running.some(({ name }) => name === 'exec' || name.startsWith('load'))
    );
  }

  /** Somebody has a use for it. */
  get owned(): boolean {
    return this.readers > 0 || this.owners.length > 0;
  }

  /** Some effect is on its way. */
  get busy(): boolean {
    return this.running.length > 0 || this.digesting > 0;
  }

  /** Of its own, not of an input. */
  effect(name: EffectName): Effect | undefined {
    return this.running.find((effect) => effect.name === name);
  }

  /** Everything that is on its way. */
  get effects(): readonly Effect[] {
    return [...this.running, ...this.inputs.flatMap(({ digesting }) => digesting ?? none)];
  }
}

/** Tasks that somebody waits for to go. A task is in one at most: no job has it any more. */
export interface Departure {
  left: number;
  readonly over: Deferred<void>;
}

export interface Verdict {
  readonly outcome: 'ran' | 'cached';
  readonly because: string;
}

/** One input of a task, as that task has come to know it. */
export class Input {
  readonly kind = 'input';
  readonly task: Task;
  readonly index: number;
  readonly source: Output;
  readonly demand: Demand;
  /** Its content digest is on its way. */
  digesting: Effect | undefined;
  contentDigest: Digest | undefined;
  /** The last stage at which it has nothing more to tell. */
  known: Stage = stages.none;
  hasResult = false;
  /** Some key stands for it: it can be a part of the task's live identity. */
  hasKey = false;
  /** How many keys of the source were looked at. */
  seen = 0;
  /** How many keys of the source the live index has. */
  indexed = 0;
  contentIndexed = false;
  /** The task's next turn looks at it. */
  touched = false;

  constructor(task: Task, index: number, source: Output) {
    this.task = task;
    this.index = index;
    this.source = source;
    this.demand = new Demand(this, source);
    source.task.readers++;
  }

  get dep(): CacheMapDep | undefined {
    return this.task.map?.deps[this.index];
  }
}

export interface HeldResult {
  readonly value: Result | undefined;
  readonly createdAt: number;
  /** Its name in the result store, once it has one. */
  readonly recordId: string | undefined;
}

/** A result in the stores, and the key it was found by. */
export interface KeyRecord extends StoredResult {
  readonly key: KeyId;
}

/** One output of a task. */
export class Output {
  readonly task: Task;
  readonly index: number;

  // Facts.
  /** Keys that stand for it, oldest first. */
  keys: readonly KeyId[] = none;
  /** Keys of a step that ignores its cache: written with what depends on it, never offered for matching. */
  hiddenKeys: readonly KeyId[] = none;
  records: readonly KeyRecord[] = none;
  /** Ids of records that could not be loaded. */
  unusable: readonly string[] = none;
  result: HeldResult | undefined;
  reached: Stage = stages.none;
  /** Made when somebody first asks for this output. */
  matching: Matching | undefined;
  /** How many of its own keys were looked up (steps without inputs). */
  lookedUp = 0;

  // Relations.
  demands: readonly Demand[] = none;
  /** Open demands per stage. */
  readonly demanded = [0, 0, 0, 0];
  /** A follower's demand on its leader. */
  leaderDemand: Demand | undefined;
  #step: Digest | undefined;
  /** Per input. */
  #inputKeys: (InputNames | undefined)[] | undefined;

  constructor(task: Task, index: number) {
    this.task = task;
    this.index = index;
  }

  /** What links to its keys name it by. Its task has a cache map. */
  get step(): Digest {
    this.#step ??= rootKey(this.task.map!.digest, this.index);
    return this.#step;
  }

  /** Everything that stands for an input as a part of this output's key. Its task has a cache map. */
  keysOf(input: Input): InputKeys {
    this.#inputKeys ??= new Array(this.task.inputs.length);
    const names = this.#inputKeys[input.index] ?? new InputNames();
    this.#inputKeys[input.index] = names;
    names.grow(this.step, input);
    return names;
  }

  /** The highest open demand. */
  get wanted(): Stage {
    if (this.demanded[stages.result]! > 0) return stages.result;
    if (this.demanded[stages.content]! > 0) return stages.content;
    return this.demanded[stages.definition]! > 0 ? stages.definition : stages.none;
  }

  /** The newest record that was not found wanting. */
  get bestRecord(): KeyRecord | undefined {
    let best: KeyRecord | undefined;
    for (const record of this.records) {
      if (this.unusable.includes(record.id)) continue;
      if (!best || record.createdAt > best.createdAt) best = record;
    }
    return best;
  }

  /** All keys that may be written as an origin of what reads it: every one of them is hidden, or none is. */
  get allKeys(): readonly KeyId[] {
    return this.hiddenKeys.length > 0 ? this.hiddenKeys : this.keys;
  }
}

/** Made once for every key of an input, whoever looks them up. */
class InputNames implements InputKeys {
  definitions: readonly OriginName[] = none;
  content: OriginName | undefined;

  grow(step: Digest, { contentDigest, dep, index, source }: Input): void {
    const { allKeys } = source;
    for (let i = this.definitions.length; i < allKeys.length; i++) {
      const link = { input: index, step, selector: dep?.selector };
      this.definitions = append(this.definitions, originName({ from: allKeys[i]!, link }));
    }
    if (contentDigest === undefined || this.content !== undefined) return;
    const link = { input: index, step, selector: undefined };
    this.content = originName({ from: contentKey(contentDigest), link });
  }
}
