import { invalid } from '../../../core/contracts/errors.js';
import type { Threads } from '../../../core/contracts/threads.js';

export interface OverlapArgs {
  /** Layers topmost first. */
  readonly trees: readonly { readonly id: string; readonly layers: readonly string[] }[];
}
export interface Overlap {
  readonly path: string;
  readonly first: string;
  readonly second: string;
}

/** Several platforms in one folder must not overwrite each other's files. BuildKit: exporter/local/export.go. */
export async function refuseOverlaps(
  threads: Threads,
  trees: OverlapArgs['trees'],
  signal: AbortSignal,
): Promise<void> {
  if (trees.length < 2) return;
  const task = new URL('./overlapping-paths.task.js', import.meta.url);
  const overlap = await threads.run<Overlap | undefined>(task, { trees } satisfies OverlapArgs, { signal });
  if (overlap === undefined) return;
  const { path, first, second } = overlap;
  throw invalid(
    'exporter.overlap',
    `cannot overwrite ${path} from ${first} with ${second} when split option is disabled`,
  );
}
