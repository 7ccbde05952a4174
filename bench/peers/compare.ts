/** Gives each workload to every daemon in turn, A B A B …, so that what drifts on the machine hits all alike. */
import { encodeDefinition } from '../../client/llb/index.js';
import { processFigures } from './process-figures.js';
import type { Bench, Peer, Turn, Workload } from './workload.js';

/** What one daemon made of one workload. */
export interface Outcome {
  readonly peer: string;
  /** Of each run. */
  readonly seconds: readonly number[];
  /** Processor seconds of the daemon, a run; known when its pid is. */
  readonly processor: number | undefined;
  /** Why it went no further. */
  readonly failure: string | undefined;
}

export interface Comparison {
  readonly workload: Workload;
  readonly outcomes: readonly Outcome[];
}

export async function compare(
  workload: Workload,
  peers: readonly Peer[],
  bench: Bench,
  runs: number,
): Promise<Comparison> {
  const racers = peers.map((peer) => new Racer(workload, peer, bench));
  for (const racer of racers) await racer.prepare();
  for (let round = 0; round < runs; round++) for (const racer of racers) await racer.run();
  return { workload, outcomes: racers.map((racer) => racer.outcome) };
}

class Racer {
  readonly #workload: Workload;
  readonly #turn: Turn;
  readonly #seconds: number[] = [];
  #processor: number | undefined;
  #failure: string | undefined;

  constructor(workload: Workload, peer: Peer, bench: Bench) {
    this.#workload = workload;
    this.#turn = turnOf(peer, bench);
  }

  get outcome(): Outcome {
    const runs = this.#seconds.length;
    return {
      peer: this.#turn.peer.name,
      seconds: this.#seconds,
      processor: this.#processor === undefined || runs === 0 ? undefined : this.#processor / runs,
      failure: this.#failure,
    };
  }

  async prepare(): Promise<void> {
    await this.#attempt(async () => this.#workload.prepare?.(this.#turn));
  }

  async run(): Promise<void> {
    await this.#attempt(async () => {
      const { pid } = this.#turn.peer;
      const before = await processFigures(pid);
      const seconds = await this.#workload.run(this.#turn);
      const after = await processFigures(pid);
      this.#seconds.push(seconds);
      if (before && after) this.#processor = (this.#processor ?? 0) + after.processor - before.processor;
    });
  }

  /** A daemon that failed once is spared the rest of the workload. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await work();
    } catch (error) {
      if ((error as Error).name === 'AbortError') throw error;
      this.#failure = (error as Error).message;
    }
  }
}

function turnOf(peer: Peer, bench: Bench): Turn {
  const run = (args: readonly string[], input?: Uint8Array): Promise<number> =>
    bench.client.run(peer.address, ['build', '--progress', 'plain', ...args], input);
  return {
    ...bench,
    peer,
    build: (dir, ...flags) =>
      run([
        '--frontend',
        'dockerfile.v0',
        '--local',
        `context=${dir}`,
        '--local',
        `dockerfile=${dir}`,
        ...flags,
      ]),
    solve: (definition) => run([], encodeDefinition(definition)),
  };
}

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
