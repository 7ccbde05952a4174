/** How a vertex fared and why, for people. Reads facts only. */
import type { Digest } from '../util/digest.js';
import { because } from './plan.js';
import { dependants } from './ranks.js';
import type { Input, Task } from './task.js';

export interface Explanation {
  readonly digest: Digest;
  readonly name: string;
  readonly outcome: 'ran' | 'cached' | 'running' | 'waiting' | 'failed';
  /** One sentence. */
  readonly because: string;
  /** What its key is made of, as far as it is known. */
  readonly key: {
    readonly step: readonly Digest[];
    readonly inputs: readonly KeyPart[];
  };
}
export interface KeyPart {
  readonly vertex: Digest;
  readonly output: number;
  readonly selector: Digest | undefined;
  readonly content: Digest | undefined;
  readonly keys: readonly string[];
}

export const explain = (task: Task): Explanation => ({
  digest: task.digest,
  name: task.name,
  ...outcomeOf(task),
  key: { step: task.maps.map(({ digest }) => digest), inputs: task.inputs.map(keyPart) },
});

function outcomeOf(task: Task): Pick<Explanation, 'outcome' | 'because'> {
  if (task.failure) return { outcome: 'failed', because: failureReason(task) };
  if (task.verdict) return task.verdict;
  const running = task.effects.filter(({ aborted }) => !aborted).map(({ name }) => name);
  const reason = because(task);
  if (running.length > 0) return { outcome: 'running', because: `${reason} (${running.join(', ')})` };
  const wanted = task.outputs.some((output) => output.wanted > 0);
  if (wanted) return { outcome: 'waiting', because: reason };
  return skipped(task) ? { outcome: 'cached', because: skipReason } : { outcome: 'waiting', because: reason };
}

const skipReason = 'every step that reads it was found in the cache';

/** Nobody needs it, and everybody who reads it has a result. */
const skipped = (task: Task): boolean => task.owned && [...dependants(task)].every(isAnswered);

const isAnswered = (task: Task): boolean =>
  task.outputs.some(({ result }) => result) || task.outputs.every((output) => output.wanted === 0);

function failureReason(task: Task): string {
  const input = task.failedInput;
  const message = task.failure?.message ?? '';
  return input && input.source.task.failure === task.failure
    ? `input ${input.index} (${input.source.task.name}) failed`
    : message;
}

const keyPart = ({ source, dep, contentDigest }: Input): KeyPart => ({
  vertex: source.task.digest,
  output: source.index,
  selector: dep?.selector,
  content: contentDigest,
  keys: source.allKeys,
});
