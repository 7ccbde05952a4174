import type { ThreadContext } from '../../contracts/threads.js';
import { FilePlacer } from '../../util/tree/file-placer.js';
import { LayerWriter } from '../../util/tree/layer-writer.js';
import { changesBetween } from './changes.js';
import { LayerReplay } from './layer-replay.js';

export interface LayerReplayArgs {
  /** Trees as stacks, topmost directory first. */
  readonly changes: readonly { readonly lower: readonly string[]; readonly upper: readonly string[] }[];
  /** Topmost first; the first one is written. */
  readonly onto: readonly string[];
}

const unchanged = { owner: undefined, mode: undefined, time: undefined, immutableSource: true } as const;

export default function replayLayers({ changes, onto }: LayerReplayArgs, context: ThreadContext): void {
  const linked = new Set<number>();
  const writer = new LayerWriter(onto);
  for (const { lower, upper } of changes) {
    const replay = new LayerReplay(writer, new FilePlacer(writer, unchanged, linked));
    for (const change of changesBetween(lower, upper)) {
      context.throwIfAborted();
      replay.add(change);
    }
    replay.finish();
  }
}
