import type { Platform } from '../util/platform.js';
import type { Differ } from './differ.js';
import type { Executor } from './executor.js';
import type { FileEngine } from './files.js';
import type { ImageStore } from './image-store.js';
import type { ContentHasher, RefStore } from './refs.js';
import type { Snapshotter } from './snapshotter.js';
import { family, type Token, type TokenFamily, token } from './token.js';

/**
 * A worker is four small ports under one id, each bound by a worker plugin: `Executors`, `Snapshotters`,
 * `Differs` and `WorkerProfiles`. The kernel adds the ref store, the content hasher and the file engine on top.
 */
export interface Worker {
  readonly profile: WorkerProfile;
  readonly executor: Executor;
  readonly snapshotter: Snapshotter;
  readonly differ: Differ;
  readonly refs: RefStore;
  readonly hasher: ContentHasher;
  readonly files: FileEngine;
  /** Absent: names of images mean nothing on this machine. */
  readonly images?: ImageStore;
}

/** What a worker is and can run. */
export interface WorkerProfile {
  /** Random, kept in the root folder: stays the same over restarts. */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The native one first, then those that emulation adds. */
  readonly platforms: readonly Platform[];
  /** Executions at once; 0 = no limit. */
  readonly maxParallelism: number;
  /** Of several workers the one of the lowest rank is the default. Absent: 0. */
  readonly rank?: number;
}
export const WorkerProfiles: TokenFamily<WorkerProfile> = family('WorkerProfile');

/** The workers that came up. */
export interface Workers {
  readonly list: readonly Worker[];
  /** The first that came up; FailedPrecondition (`worker.none`) with every reason when there is none. */
  default(): Worker;
  get(id: string): Worker | undefined;
}
export const Workers: Token<Workers> = token('Workers');

/** Where a worker plugin may keep its state, and what the machine offers. */
export interface WorkerHome {
  /** Made and owned by the plugin: `<root>/<plugin id>`. */
  dir(pluginId: string): string;
}
export const WorkerHome: Token<WorkerHome> = token('WorkerHome');
