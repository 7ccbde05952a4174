/**
 * Which live tasks are the same step: equal op keys, and for every input a key in common. The link algebra over
 * tasks instead of stored keys. BuildKit: solver/index.go.
 *
 * Invariant: a task is found by exactly the names it was added under, until it is removed.
 */
import { getOrAdd } from '../util/get-or-add.js';
import type { Input, Task } from './task.js';

interface Entry {
  /** Per input the names of its links; a task without inputs has one list. */
  readonly names: string[][];
  /** The input that nobody shared when last looked at: most likely still the quickest to say no. */
  witness: number;
}

export class LiveIndex {
  /** Mostly one task a name. */
  readonly #tasks = new Map<string, Task[]>();
  readonly #entries = new Map<Task, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  add(task: Task, input: number, name: string): void {
    const { names } = getOrAdd(this.#entries, task, () => ({ names: [], witness: 0 }));
    const known = names[input];
    if (known) known.push(name);
    else names[input] = [name];
    const tasks = this.#tasks.get(name);
    if (!tasks) this.#tasks.set(name, [task]);
    else if (!tasks.includes(task)) tasks.push(task);
  }

  remove(task: Task): void {
    for (const names of this.#entries.get(task)?.names ?? []) {
      for (const name of names ?? []) this.#drop(name, task);
    }
    this.#entries.delete(task);
  }

  #drop(name: string, task: Task): void {
    const tasks = this.#tasks.get(name) ?? [];
    const at = tasks.indexOf(task);
    if (tasks.length === 1 && at === 0) this.#tasks.delete(name);
    else if (at >= 0) tasks.splice(at, 1);
  }

  /** The other tasks that share a key with every input of this one. */
  twins(task: Task): readonly Task[] {
    const entry = this.#entries.get(task);
    if (!entry) return [];
    const { names, witness } = entry;
    if (!this.#isShared(names[witness])) return [];
    let common = this.#sharing(task, names[witness]);
    for (let i = 0; i < names.length && common.size > 0; i++) {
      if (i === witness) continue;
      const sharing = this.#sharing(task, names[i]);
      for (const other of common) if (!sharing.has(other)) common.delete(other);
      if (sharing.size === 0) {
        entry.witness = i;
        common = sharing;
      }
    }
    return [...common];
  }

  #isShared(names: readonly string[] | undefined): boolean {
    return names?.some((name) => (this.#tasks.get(name)?.length ?? 0) > 1) ?? false;
  }

  #sharing(task: Task, names: readonly string[] | undefined): Set<Task> {
    const sharing = new Set<Task>();
    for (const name of names ?? []) for (const other of this.#tasks.get(name) ?? []) sharing.add(other);
    sharing.delete(task);
    return sharing;
  }
}

/** Adds what is new since the last time; true when there was something and every input has a key. */
export function indexTask(index: LiveIndex, task: Task): boolean {
  if (task.isRoot) return indexRoot(index, task);
  if (!task.map) return false;
  let grown = false;
  for (const input of task.touched) grown = indexInput(index, input) || grown;
  return grown && task.keysMissing === 0;
}

/** A step without inputs is the same as any other with one of its cache maps. */
function indexRoot(index: LiveIndex, task: Task): boolean {
  const added = task.maps.slice(task.indexedMaps);
  for (const { digest } of added) index.add(task, 0, `root ${digest}`);
  task.indexedMaps = task.maps.length;
  return added.length > 0;
}

function indexInput(index: LiveIndex, input: Input): boolean {
  const { task, source, dep } = input;
  const step = task.map?.digest;
  const before = input.indexed + Number(input.contentIndexed);
  for (const key of source.keys.slice(input.indexed)) {
    index.add(task, input.index, [key, input.index, step, dep?.selector].join(' '));
  }
  input.indexed = source.keys.length;
  if (input.contentDigest && !input.contentIndexed) {
    index.add(task, input.index, ['content', input.contentDigest, input.index, step].join(' '));
    input.contentIndexed = true;
  }
  const after = input.indexed + Number(input.contentIndexed);
  if (after > 0 && !input.hasKey) {
    input.hasKey = true;
    task.keysMissing--;
  }
  return after > before;
}
