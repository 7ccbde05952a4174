/** What a daemon does and has done, for those who watch it. */
import { BuildError, isCanceled } from '../contracts/index.js';
import type { Explanation } from '../solver/explain.js';

export type BuildOutcome = 'completed' | 'canceled' | 'failed';

export interface RunningBuild {
  readonly ref: string;
  readonly frontend: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
}

export interface EndedBuild extends RunningBuild {
  readonly outcome: BuildOutcome;
  readonly durationMs: number;
  /** Of the error; empty when there is none. */
  readonly error: string;
  /** How many steps came to which end. */
  readonly steps: Readonly<Partial<Record<Explanation['outcome'], number>>>;
}

/** How many of the builds that have ended are remembered. */
const REMEMBERED = 50;

export class Activity {
  readonly #running = new Set<RunningBuild>();
  readonly #ended: EndedBuild[] = [];
  readonly #watchers = new Set<(build: EndedBuild) => void>();

  running(): readonly RunningBuild[] {
    return [...this.#running];
  }

  /** The last ones, newest first. */
  ended(): readonly EndedBuild[] {
    return this.#ended.toReversed();
  }

  onEnd(watch: (build: EndedBuild) => void): Disposable {
    this.#watchers.add(watch);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watch) };
  }

  /** Notes one build from its beginning to its end. `steps` is asked at the end. */
  async note<T>(
    build: { readonly ref: string; readonly frontend: string },
    steps: () => readonly Explanation[] | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const running: RunningBuild = { ...build, startedAt: Date.now() };
    const began = performance.now();
    this.#running.add(running);
    const end = (outcome: BuildOutcome, error: string): void => {
      this.#running.delete(running);
      const durationMs = performance.now() - began;
      this.#remember({ ...running, outcome, durationMs, error, steps: tally(steps() ?? []) });
    };
    try {
      const result = await work();
      end('completed', '');
      return result;
    } catch (error) {
      end(isCanceled(error) ? 'canceled' : 'failed', BuildError.from(error).message);
      throw error;
    }
  }

  #remember(build: EndedBuild): void {
    this.#ended.push(build);
    if (this.#ended.length > REMEMBERED) this.#ended.shift();
    for (const watch of this.#watchers) watch(build);
  }
}

function tally(steps: readonly Explanation[]): EndedBuild['steps'] {
  const counts: Partial<Record<Explanation['outcome'], number>> = {};
  for (const { outcome } of steps) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
