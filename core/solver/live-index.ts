/**
 * Which live tasks are the same step: equal op keys, and for every input a key in common. The link algebra over
 * tasks instead of stored keys, by the names that lead to their first outputs. BuildKit: solver/index.go.
 *
 * Invariant: a task is found by exactly the names it was added under, until it is removed.
 */
import type { Digest } from '../util/digest.js';
import type { OriginName } from './keys/link.js';
import type { Input, Task } from './task.js';

const none: readonly never[] = [];

export class LiveIndex {
  /** Mostly one task a name. */
  readonly #tasks = new Map<OriginName, Task[]>();

  /** Names in use. */
  get size(): number {
    return this.#tasks.size;
  }

  /** Adds what is new since the last time; true when there was something and every input has a key. */
  add(task: Task): boolean {
    if (task.isRoot) return this.#addRoot(task);
    if (!task.map) return false;
    let grown = false;
    for (const input of task.touched) grown = this.#addInput(input) || grown;
    return grown && task.keysMissing === 0;
  }

  remove(task: Task): void {
    for (const digest of digestsOf(task)) this.#drop(digest, task);
    for (const input of task.inputs) for (const name of namesOf(input)) this.#drop(name, task);
  }

  /** The other tasks that share a key with every input of this one. */
  twins(task: Task): readonly Task[] {
    if (task.isRoot) return [...this.#sharing(task, digestsOf(task))];
    // The input that nobody shared when last looked at is most likely still the quickest to say no.
    const witness = namesOf(task.inputs[task.witness]!);
    if (!witness.some((name) => this.#isShared(name))) return none;
    const common = this.#sharing(task, witness);
    for (const input of task.inputs) {
      if (common.size === 0) break;
      if (input.index === task.witness) continue;
      const sharing = this.#sharing(task, namesOf(input));
      for (const other of common) if (!sharing.has(other)) common.delete(other);
      if (sharing.size === 0) task.witness = input.index;
    }
    return [...common];
  }

  /** A step without inputs is the same as any other with one of its cache maps. */
  #addRoot(task: Task): boolean {
    const before = task.indexedMaps;
    for (const { digest } of task.maps.slice(before)) this.#enter(digest, task);
    task.indexedMaps = task.maps.length;
    return task.indexedMaps > before;
  }

  #addInput(input: Input): boolean {
    const { source, task } = input;
    const newContent = input.contentDigest !== undefined && !input.contentIndexed;
    if (input.indexed === source.keys.length && !newContent) return false;
    const { definitions, content } = task.outputs[0]!.keysOf(input);
    for (; input.indexed < source.keys.length; input.indexed++) {
      this.#enter(definitions[input.indexed]!, task);
    }
    if (newContent) this.#enter(content!, task);
    input.contentIndexed ||= newContent;
    if (!input.hasKey) task.keysMissing--;
    input.hasKey = true;
    return true;
  }

  #enter(name: OriginName, task: Task): void {
    const tasks = this.#tasks.get(name);
    if (!tasks) this.#tasks.set(name, [task]);
    else if (!tasks.includes(task)) tasks.push(task);
  }

  #drop(name: OriginName, task: Task): void {
    const tasks = this.#tasks.get(name);
    const at = tasks?.indexOf(task) ?? -1;
    if (tasks?.length === 1 && at === 0) this.#tasks.delete(name);
    else if (at >= 0) tasks?.splice(at, 1);
  }

  #isShared(name: OriginName): boolean {
    return (this.#tasks.get(name)?.length ?? 0) > 1;
  }

  #sharing(task: Task, names: readonly OriginName[]): Set<Task> {
    const sharing = new Set<Task>();
    for (const name of names) for (const other of this.#tasks.get(name) ?? none) sharing.add(other);
    sharing.delete(task);
    return sharing;
  }
}

const digestsOf = ({ indexedMaps, maps }: Task): readonly Digest[] =>
  maps.slice(0, indexedMaps).map(({ digest }) => digest);

/** What an input was added under. */
function namesOf(input: Input): readonly OriginName[] {
  const { contentIndexed, indexed, task } = input;
  if (!task.map) return none;
  const { definitions, content } = task.outputs[0]!.keysOf(input);
  const known = indexed < definitions.length ? definitions.slice(0, indexed) : definitions;
  return contentIndexed ? [...known, content!] : known;
}
