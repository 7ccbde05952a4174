/**
 * Turns what cache maps, inputs and the stores have to say into facts of a task. Only inputs that were touched since
 * the last turn are looked at. Whatever others can see sets `task.changed`.
 */
import { invalid } from '../contracts/errors.js';
import type { Digest } from '../util/digest.js';
import { append } from '../util/lists.js';
import { type KeyId, rootKey } from './keys/key-id.js';
import type { KeyStore } from './keys/key-store.js';
import type { StoredResult } from './keys/key-tables.js';
import type { InputKeys, OriginName } from './keys/link.js';
import { Matching } from './matching.js';
import type { CacheMap } from './op.js';
import { type Stage, stages } from './stage.js';
import type { Input, Output, Task } from './task.js';

/** Where facts come from besides the graph. */
export interface Records {
  readonly keys: KeyStore;
  /** The keys that `origin` leads to, for a task of the jobs that it has now. */
  targets(task: Task, origin: OriginName): readonly KeyId[];
  /** Results of a key, newest first. */
  results(task: Task, key: KeyId): readonly StoredResult[];
  /** Whether the result is still there; drops it from the key store if not. */
  isThere(resultId: string): boolean;
  /** The result is gone: the key store must not name it any more. */
  drop(resultId: string): void;
  /** Links definitions to what a content key led to, so that the next look needs no content. */
  link(inputs: Iterable<InputKeys>, key: KeyId): void;
}

export function addMap(task: Task, map: CacheMap, done: boolean): void {
  if (!task.isRoot && map.deps.length !== task.inputs.length) {
    const counts = `${map.deps.length} deps for ${task.inputs.length} inputs`;
    throw invalid('solver.bad-cache-map', `the cache map of ${task.name} has ${counts}`);
  }
  task.maps = append(task.maps, map);
  task.mapsDone = done;
  if (task.isRoot) {
    for (const output of task.outputs) addKey(output, rootKey(map.digest, output.index));
  } else if (task.maps.length === 1) {
    task.digestsMissing = map.deps.filter(({ contentDigest }) => contentDigest).length;
    for (const input of task.inputs) task.touch(input);
  }
}

export function addKey(output: Output, key: KeyId): void {
  const hidden = output.task.vertex.ignoreCache;
  if (output.allKeys.includes(key)) return;
  if (hidden) {
    output.hiddenKeys = append(output.hiddenKeys, key);
  } else {
    output.keys = append(output.keys, key);
    output.task.changed = true;
  }
}

export function addContentDigest(input: Input, digest: Digest): void {
  if (input.contentDigest) return;
  input.contentDigest = digest;
  input.task.digestsMissing--;
  input.task.touch(input);
}

export function absorb(task: Task, records: Records): void {
  for (const output of task.outputs) prepare(output, records);
  for (const input of task.touched) absorbInput(input, records);
  for (const output of task.outputs) reach(output, reachedOf(output));
}

/** An output takes part in matching from its first demand on. */
function prepare(output: Output, records: Records): void {
  const { task } = output;
  if (output.wanted === stages.none || task.vertex.ignoreCache) return;
  if (task.isRoot) {
    for (; output.lookedUp < output.keys.length; output.lookedUp++) {
      lookUp(output, output.keys[output.lookedUp]!, records);
    }
  } else if (!output.matching) {
    output.matching = new Matching(task.inputs.length);
    for (const input of task.inputs) {
      output.matching.know(input.index, input.known);
      task.touch(input);
    }
  }
}

function absorbInput(input: Input, records: Records): void {
  const { task, source } = input;
  if (source.result && !input.hasResult) {
    input.hasResult = true;
    task.resultsMissing--;
  }
  if (source.task.failure) task.failedInput ??= input;
  if (task.map) for (const output of task.outputs) probe(output, input, records);
  input.seen = source.keys.length;
  know(input);
}

/** Looks up what the new keys of an input lead to. */
function probe(output: Output, input: Input, records: Records): void {
  const { matching, task } = output;
  if (!matching || !task.map) return;
  const probed = matching.probed[input.index]!;
  const newContent = input.contentDigest !== undefined && !matching.contentProbed[input.index];
  if (probed === input.source.keys.length && !newContent) return;
  const { definitions, content } = output.keysOf(input);
  const offered = input.source.keys.length;
  for (let i = probed; i < offered; i++) {
    for (const key of records.targets(task, definitions[i]!))
      addCandidate(output, matching, input, key, records);
  }
  matching.probed[input.index] = offered;
  if (!content || !newContent) return;
  matching.contentProbed[input.index] = true;
  for (const key of records.targets(task, content)) {
    records.link([{ definitions: definitions.slice(0, offered), content: undefined }], key);
    addCandidate(output, matching, input, key, records);
  }
}

function addCandidate(output: Output, matching: Matching, input: Input, key: KeyId, records: Records): void {
  if (!matching.add(input.index, key)) return;
  addKey(output, key);
  lookUp(output, key, records);
}

function lookUp(output: Output, key: KeyId, records: Records): void {
  for (const result of records.results(output.task, key)) {
    const known = output.records.some(({ id }) => id === result.id);
    if (!known && records.isThere(result.id)) output.records = append(output.records, { ...result, key });
  }
}

/** Moves an input to the last stage at which it has nothing more to tell, and counts it there. */
function know(input: Input): void {
  const { task } = input;
  const stage = knownOf(input);
  if (stage <= input.known) return;
  if (input.known < stages.definition) task.definitionsOpen--;
  if (stage === stages.content) task.contentsOpen--;
  input.known = stage;
  for (const output of task.outputs) output.matching?.know(input.index, stage);
}

function knownOf({ task, source, dep, contentDigest }: Input): Stage {
  if (source.task.failure) return stages.content;
  if (source.reached < stages.definition) return stages.none;
  if (!task.map || source.reached < stages.content) return stages.definition;
  if (dep?.contentDigest && contentDigest === undefined) return stages.definition;
  return stages.content;
}

export function reach(output: Output, stage: Stage): void {
  if (stage <= output.reached) return;
  output.reached = stage;
  output.task.changed = true;
}

function reachedOf(output: Output): Stage {
  const { task, matching } = output;
  if (output.result) return stages.result;
  if (task.vertex.ignoreCache) return stages.content;
  if (task.isRoot) return task.mapsDone || output.bestRecord ? stages.content : stages.none;
  if (!matching || !task.map) return stages.none;
  if (matching.dead(stages.content) > 0 || task.contentsOpen === 0) return stages.content;
  return matching.dead(stages.definition) > 0 || task.definitionsOpen === 0 ? stages.definition : stages.none;
}
