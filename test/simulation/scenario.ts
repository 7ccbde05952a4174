/**
 * What is simulated: plain data, so that a failing case can be written down, shrunk and read. Which of the possible
 * things happens next is not in it; that follows from `seed` (simulate.ts).
 */
import type { Port } from '../../bench/shapes.js';

export interface Scenario {
  /** Of the timeline. */
  readonly seed: number;
  readonly ops: readonly OpSpec[];
  /** Inputs before those who read them. */
  readonly steps: readonly StepSpec[];
  readonly jobs: readonly JobSpec[];
  readonly trouble: Trouble;
  /** Heavy steps at once; 0: no limit. */
  readonly parallelism: number;
  /** Turns in the order of production instead of a random one. */
  readonly producersFirst: boolean;
}

/** Steps of one op have the same cache map: they are equal if what they read is. */
export interface OpSpec {
  readonly inputs: readonly InputSpec[];
  readonly outputs: number;
  readonly heavy: boolean;
  /** Builds this while it runs; of an earlier step. */
  readonly builds: Port | undefined;
  readonly fails: Failing | undefined;
  /** Its cache key means nothing later (`random:`). Ops without inputs only. */
  readonly volatile: boolean;
  /** Reads something from a client. */
  readonly session: boolean;
}
/** By content: has a digester, and reads nothing but what it digests. */
export type InputSpec = 'definition' | 'content';

export interface Failing {
  readonly where: 'map' | 'digest' | 'exec';
  /** Or else every second time or so. */
  readonly always: boolean;
}

export interface StepSpec {
  readonly op: number;
  readonly inputs: readonly (Port & { readonly selector: string })[];
  /** Names of the cache maps of a step without inputs: steps of an op know that they are equal by one in common. */
  readonly maps: readonly string[];
}

export interface JobSpec {
  /** Which solver on the same stores it belongs to, from 0. */
  readonly life: number;
  readonly builds: readonly Port[];
  /** Steps that ignore their cache in this job. */
  readonly ignores: readonly number[];
  /** What it does before its answers are there. */
  readonly leaves: 'never' | 'cancels' | 'is discarded';
}

export interface Trouble {
  /** How likely a load fails. */
  readonly loads: number;
  /** How likely a result cannot be recorded. */
  readonly saves: number;
  /** How likely, at each step, results are taken away behind the solver's back. */
  readonly prunes: number;
  /** How likely, at each step, a client goes away. */
  readonly sessions: number;
  /** How likely an effect that was asked to stop finishes all the same. */
  readonly deaf: number;
  /** The solver is not closed before the next one opens. */
  readonly crashes: boolean;
}

export const noTrouble: Trouble = { loads: 0, saves: 0, prunes: 0, sessions: 0, deaf: 0, crashes: false };

/** Nothing in it is an excuse for doing anything twice. */
export const isQuiet = ({ trouble, ops, steps, jobs }: Scenario): boolean =>
  trouble.loads + trouble.saves + trouble.prunes + trouble.sessions === 0 &&
  !trouble.crashes &&
  ops.every(({ fails, volatile }) => !fails && !volatile) &&
  steps.every(({ inputs, maps }) => inputs.length > 0 || maps[0] === 'a') &&
  jobs.every(({ ignores }) => ignores.length === 0);
