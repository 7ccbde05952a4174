/**
 * All live tasks, by vertex digest. Equal vertices on the same inputs are one task, whoever asks.
 *
 * A step that ignores its cache and one that does not are different tasks of one digest; the latter may join the
 * former, never the reverse. So may, therefore, what is built on them: a task fits if it has the very inputs that
 * were found for the vertex. BuildKit: solver/jobs.go loadUnlocked.
 */
import { invalid } from '../contracts/errors.js';
import type { Digest } from '../util/digest.js';
import { append, none } from '../util/lists.js';
import type { Job } from './job.js';
import type { Edge, Vertex } from './op.js';
import { declared } from './progress/job-stream.js';
import { TaskLog } from './progress/task-log.js';
import type { Clock } from './seams.js';
import { type Output, Task } from './task.js';

export class TaskTable {
  readonly #tasks = new Map<Digest, readonly Task[]>();
  readonly #clock: Clock;
  #serial = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    let size = 0;
    for (const tasks of this.#tasks.values()) size += tasks.length;
    return size;
  }

  get isEmpty(): boolean {
    return this.#tasks.size === 0;
  }

  *[Symbol.iterator](): Iterator<Task> {
    for (const tasks of this.#tasks.values()) yield* tasks;
  }

  /** The task of an edge and of everything below it. */
  load(edge: Edge): Output {
    checkOutput(edge);
    const order = inputsFirst(edge.vertex);
    const tasks: Task[] = [];
    const output = ({ vertex, index }: Edge): Output => tasks[order.get(vertex)!]!.outputs[index]!;
    for (const vertex of order.keys()) tasks.push(this.#take(vertex, vertex.inputs.map(output)));
    measure(tasks);
    return output(edge);
  }

  /** The task that stands for an edge in `job`'s builds. */
  find({ vertex, index }: Edge, job: Job): Output | undefined {
    return this.#tasks.get(vertex.digest)?.find(({ jobs }) => jobs.includes(job))?.outputs[index];
  }

  remove(task: Task): void {
    const tasks = this.#tasks.get(task.digest) ?? none;
    const rest = tasks.length === 1 ? none : tasks.filter((other) => other !== task);
    if (rest.length > 0) this.#tasks.set(task.digest, rest);
    else this.#tasks.delete(task.digest);
  }

  #take(vertex: Vertex, inputs: readonly Output[]): Task {
    const tasks = this.#tasks.get(vertex.digest) ?? none;
    const fitting =
      tasks.length === 0
        ? none
        : tasks.filter((task) => task.inputs.every(({ source }, i) => source === inputs[i]));
    const task =
      fitting.find((other) => other.vertex.ignoreCache === vertex.ignoreCache) ??
      (vertex.ignoreCache ? undefined : fitting[0]);
    if (task) return task;
    const made = this.#make(vertex, inputs);
    this.#tasks.set(vertex.digest, append(tasks, made));
    return made;
  }

  #make(vertex: Vertex, inputs: readonly Output[]): Task {
    const { digest, name, progressGroup } = vertex;
    const row = { digest, name, inputs: inputs.map(({ task }) => task.digest), group: progressGroup };
    const log = new TaskLog(declared(row), this.#clock);
    return new Task({ vertex, serial: this.#serial++, inputs, log });
  }
}

/** Every vertex and its place among all, after its inputs. Graphs may be deep: no recursion. */
function inputsFirst(top: Vertex): ReadonlyMap<Vertex, number> {
  const order = new Map<Vertex, number>();
  const seen = new Set<Vertex>();
  const open = [top];
  for (let vertex = open.at(-1); vertex; vertex = open.at(-1)) {
    if (seen.has(vertex)) {
      open.pop();
      if (!order.has(vertex)) order.set(vertex, order.size);
      continue;
    }
    seen.add(vertex);
    for (let i = vertex.inputs.length - 1; i >= 0; i--) {
      const input = vertex.inputs[i]!;
      checkOutput(input);
      if (!seen.has(input.vertex)) open.push(input.vertex);
    }
  }
  return order;
}

function checkOutput({ vertex, index }: Edge): void {
  if (index >= 0 && index < vertex.outputs) return;
  const has = `output ${index} of ${vertex.name} is wanted, but it has ${vertex.outputs}`;
  throw invalid('solver.no-such-output', has);
}

/** Updates the longest known ways from tasks to the result of this graph. `order` has inputs first. */
function measure(order: readonly Task[]): void {
  for (let i = order.length - 1; i >= 0; i--) {
    const { distance, inputs } = order[i]!;
    for (const { source } of inputs) source.task.distance = Math.max(source.task.distance, distance + 1);
  }
}
