/** Why a step had to run, in a sentence. Asked once, when it is about to. */
import type { Output, Task } from './task.js';

export function whyRun(task: Task): string {
  if (task.vertex.ignoreCache) return 'it ignores its cache';
  const output = task.outputs.find(({ unusable }) => unusable.length > 0);
  if (output) return 'a record matched, but its result could not be loaded';
  if (task.outputs.some(({ keys }) => keys.length > 0 && !task.isRoot)) {
    return 'its key is known, but no result is left';
  }
  if (task.isRoot) return `nothing is recorded for ${task.maps.map(({ digest }) => digest).join(', ')}`;
  return task.outputs.map(whyNoMatch).find((why) => why !== undefined) ?? 'no record matches';
}

function whyNoMatch({ task, matching }: Output): string | undefined {
  if (!matching) return undefined;
  if (matching.lacking === 0) return 'each of its inputs was seen before, but never together';
  const input = task.inputs.find(({ index }) => matching.open(index) === 0);
  if (!input) return undefined;
  const content = input.contentDigest ? `, nor with content ${input.contentDigest}` : '';
  return `input ${input.index} (${input.source.task.name}) was never seen with this step${content}`;
}
