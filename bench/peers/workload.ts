/** What daemons are compared by. A workload gives every daemon the same work, and answers how long one run took. */
import { randomBytes } from 'node:crypto';
import type { LlbDefinition } from '../../core/contracts/frontend.js';
import type { Client } from './client.js';
import type { Contexts } from './contexts.js';

export interface Peer {
  readonly name: string;
  readonly address: string;
  /** Of the daemon; memory and processor time are read from it. */
  readonly pid: number | undefined;
}

/** What every run has at hand. */
export interface Bench {
  readonly client: Client;
  readonly contexts: Contexts;
  /** Holds what runs write. */
  readonly dir: string;
  /** An image that daemons can pull and run a shell of. */
  readonly base: string;
  /** A registry that daemons may push to, `host:port`. */
  readonly registry: string;
  /** An image of some size, for the workloads that pull. */
  readonly big: string;
  /** Folders with real programs and libraries. */
  readonly trees: readonly string[];
}

export interface Turn extends Bench {
  readonly peer: Peer;
  /** Runs the client on the peer and answers seconds. */
  build(context: string, ...flags: readonly string[]): Promise<number>;
  solve(definition: LlbDefinition): Promise<number>;
}

export interface Workload {
  readonly name: string;
  readonly summary: string;
  /** Once per daemon, before the first round; not timed. */
  prepare?(turn: Turn): Promise<void>;
  /** Seconds that the client took. */
  run(turn: Turn): Promise<number>;
}

/** Different each time, so that no cache knows it. */
export const salt = (): string => randomBytes(6).toString('hex');

export const times = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => make(index));
