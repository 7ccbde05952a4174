/**
 * One vertex, with all its outputs: what is known about it. Facts only grow; what follows from them is planned anew
 * at every turn (plan.ts). Relations (demands, owners, leaders) say who is interested.
 */
import type { BuildError } from '../contracts/errors.js';
import type { Span } from '../contracts/tracing.js';
import type { Digest } from '../util/digest.js';
import type { Asker, Demand } from './demand.js';
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

/** What keeps a task in the table: a job, a task that reads it or follows it, a step that builds it. */
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
  readonly maps: CacheMap[] = [];
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
  readonly owners = new Set<Owner>();
  /** Every job that this task was ever a part of and that still lives. */
  readonly jobs = new Set<Job>();
  /** Effects on their way. */
  readonly running = new Map<EffectName, Effect>();
  leader: Task | undefined;
  /** Tasks that a running step of this one waits for, as often as it does. */
  readonly building: Task[] = [];
  span: Span | undefined;
  /** What its op wants held until it is swept. */
  readonly held: AsyncDisposable[] = [];

  // What the next turn looks at.
  /** Something others can see is new. */
  changed = false;
  #touched: Input[] = [];
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
    this.outputs = Array.from({ length: vertex.outputs }, (_, index) => new Output(this, index));
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
    this.held.push(held);
  }

  touch(input: Input): void {
    if (input.touched) return;
    input.touched = true;
    this.#touched.push(input);
  }

  /** They were looked at. */
  takeTouched(): readonly Input[] {
    const touched = this.#touched;
    if (touched.length === 0) return touched;
    this.#touched = [];
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
      [...this.running.keys()].some((name) => name === 'exec' || name.startsWith('load'))
    );
  }
}

export interface Verdict {
  readonly outcome: 'ran' | 'cached';
  readonly because: string;
}

/** One input of a task, as that task has come to know it. */
export class Input {
  readonly task: Task;
  readonly index: number;
  readonly source: Output;
  /** How it signs its demands. */
  readonly asker: Asker;
  demand: Demand | undefined;
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
    this.asker = { kind: 'input', task, input: this };
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

/** One output of a task. */
export class Output {
  readonly task: Task;
  readonly index: number;

  // Facts.
  /** Keys that stand for it, oldest first. */
  readonly keys: KeyId[] = [];
  /** Keys of a step that ignores its cache: written with what depends on it, never offered for matching. */
  readonly hiddenKeys: KeyId[] = [];
  readonly records: (StoredResult & { readonly key: KeyId })[] = [];
  /** Ids of records that could not be loaded. */
  readonly unusable: string[] = [];
  result: HeldResult | undefined;
  reached: Stage = stages.none;
  /** Made when somebody first asks for this output. */
  matching: Matching | undefined;
  /** How many of its own keys were looked up (steps without inputs). */
  lookedUp = 0;
  /** How many keys of each input were looked up. */
  readonly probed: number[] = [];
  /** Inputs whose content key was looked up. */
  readonly contentProbed: boolean[] = [];

  // Relations.
  readonly demands = new Set<Demand>();
  /** Open demands per stage. */
  readonly demanded = [0, 0, 0, 0];
  /** A follower's demand on its leader. */
  leaderDemand: Demand | undefined;
  #step: Digest | undefined;
  /** Per input. */
  #inputKeys: InputNames[] | undefined;

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
    this.#inputKeys ??= [];
    this.#inputKeys[input.index] ??= new InputNames();
    const names = this.#inputKeys[input.index]!;
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
  get bestRecord(): (StoredResult & { readonly key: KeyId }) | undefined {
    let best: (StoredResult & { readonly key: KeyId }) | undefined;
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
  readonly definitions: OriginName[] = [];
  content: OriginName | undefined;

  grow(step: Digest, { contentDigest, dep, index, source }: Input): void {
    const { allKeys } = source;
    for (let i = this.definitions.length; i < allKeys.length; i++) {
      const link = { input: index, step, selector: dep?.selector };
      this.definitions.push(originName({ from: allKeys[i]!, link }));
    }
    if (contentDigest === undefined || this.content !== undefined) return;
    const link = { input: index, step, selector: undefined };
    this.content = originName({ from: contentKey(contentDigest), link });
  }
}
