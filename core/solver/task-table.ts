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
    const { order, places } = inputsFirst(edge.vertex);
    const tasks: Task[] = [];
    const output = ({ vertex, index }: Edge): Output => tasks[places.get(vertex)!]!.outputs[index]!;
    for (const vertex of order) tasks.push(this.#take(vertex, output));
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

  #take(vertex: Vertex, output: (edge: Edge) => Output): Task {
    const tasks = this.#tasks.get(vertex.digest) ?? none;
    const known = fitting(tasks, vertex, output);
    if (known) return known;
    const made = this.#make(vertex, vertex.inputs.map(output));
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

/** One that reads what the vertex does: the one that ignores its cache as the vertex does, if there is such a one. */
function fitting(
  tasks: readonly Task[],
  { ignoreCache, inputs }: Vertex,
  output: (edge: Edge) => Output,
): Task | undefined {
  let other: Task | undefined;
  const reads = (task: Task): boolean =>
    task.inputs.length === inputs.length &&
    task.inputs.every(({ source }, i) => source === output(inputs[i]!));
  for (const task of tasks) {
    if (!reads(task)) continue;
    if (task.vertex.ignoreCache === ignoreCache) return task;
    other ??= task;
  }
  return ignoreCache ? undefined : other;
}

interface Order {
  /** Every vertex after its inputs. */
  readonly order: readonly Vertex[];
  /** Where each stands there. */
  readonly places: ReadonlyMap<Vertex, number>;
}

/** Seen, but its inputs come first. */
const later = -1;

/** Graphs may be deep: no recursion. */
function inputsFirst(top: Vertex): Order {
  const order: Vertex[] = [];
  const places = new Map<Vertex, number>();
  const open = [top];
  for (let vertex = open.at(-1); vertex; vertex = open.at(-1)) {
    const place = places.get(vertex);
    if (place === undefined) {
      places.set(vertex, later);
      for (let i = vertex.inputs.length - 1; i >= 0; i--) {
        const input = vertex.inputs[i]!;
        checkOutput(input);
        if (!places.has(input.vertex)) open.push(input.vertex);
      }
      continue;
    }
    open.pop();
    if (place === later) places.set(vertex, order.push(vertex) - 1);
  }
  return { order, places };
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
