/** Why a step had to run, in a sentence. Asked once, when it is about to. */
import type { ForeignCache } from './foreign.js';
import { rootKey } from './keys/key-id.js';
import { foreignCaches } from './records.js';
import type { Output, Task } from './task.js';

export function whyRun(task: Task): string {
  if (task.vertex.ignoreCache) return 'it ignores its cache';
  const imports = foreignCaches(task).map((cache) => whyNotThere(task, cache));
  return [whyNotHere(task), ...imports.filter((why) => why !== undefined)].join('; ');
}

/** Sources are looked up each time; caches have no layers of theirs. */
function whyNotThere(task: Task, cache: ForeignCache): string | undefined {
  if (task.isRoot) return undefined;
  const steps = task.maps.flatMap(({ digest }) => task.outputs.map((_, output) => rootKey(digest, output)));
  const isKnown = steps.some((step) => cache.knows(step));
  const name = `the cache imported from ${cache.name}`;
  if (!isKnown) return `${name} has no such step`;
  return task.outputs.some(({ keys }) => keys.length > 0)
    ? `${name} has this step without its layers`
    : `${name} has this step with other inputs`;
}

function whyNotHere(task: Task): string {
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
