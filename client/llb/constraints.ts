import type { LinuxResources } from '../../core/contracts/executor.js';
import type { LlbMetadata } from '../../core/contracts/frontend.js';
import type { ProgressGroup } from '../../core/contracts/progress.js';
import type { Platform } from '../../core/util/platform.js';
import type { Cap } from './caps.js';
import type { SourceLocation } from './source-map.js';

/** What every step accepts besides its own options. */
export interface ConstraintOptions {
  readonly platform?: Platform | undefined;
  /** The name that progress shows. */
  readonly name?: string | undefined;
  readonly description?: Readonly<Record<string, string>> | undefined;
  /** Run even when the cache has a result. */
  readonly ignoreCache?: boolean | undefined;
  /** Says whether the result goes into exported caches; absent: as the build decides. */
  readonly exportCache?: boolean | undefined;
  readonly progressGroup?: ProgressGroup | undefined;
  /** Limits of the step's process; no part of its cache key. */
  readonly resources?: LinuxResources | undefined;
  /** containerd-style filters that a worker must match. */
  readonly filters?: readonly string[] | undefined;
  /** Where the step was written, for error excerpts. */
  readonly locations?: readonly SourceLocation[] | undefined;
}

/** The same in the form that ops keep. */
export interface Constraints {
  readonly platform: Platform | undefined;
  readonly filters: readonly string[];
  readonly metadata: LlbMetadata;
  readonly locations: readonly SourceLocation[];
}

export function constraints(options: ConstraintOptions, recorded: Iterable<Cap> = []): Constraints {
  const { name, description } = options;
  return {
    platform: options.platform,
    filters: options.filters ?? [],
    locations: options.locations ?? [],
    metadata: {
      ignoreCache: options.ignoreCache ?? false,
      description: name === undefined ? { ...description } : { ...description, 'llb.customname': name },
      caps: union([], [...recorded]),
      ...(options.exportCache === undefined ? {} : { exportCache: options.exportCache }),
      ...(options.resources === undefined ? {} : { resources: options.resources }),
      ...(options.progressGroup === undefined ? {} : { progressGroup: options.progressGroup }),
    },
  };
}

export const emptyMetadata: LlbMetadata = { ignoreCache: false, description: {}, caps: [] };

/** `over` wins where both say something; capabilities add up. BuildKit: client/llb/state.go mergeMetadata. */
export function mergeMetadata(base: LlbMetadata, over: LlbMetadata): LlbMetadata {
  if (base === emptyMetadata) return over;
  const exportCache = over.exportCache ?? base.exportCache;
  const progressGroup = over.progressGroup ?? base.progressGroup;
  const resources = over.resources ?? base.resources;
  return {
    ignoreCache: base.ignoreCache || over.ignoreCache,
    description: { ...base.description, ...over.description },
    caps: union(base.caps, over.caps),
    ...(exportCache === undefined ? {} : { exportCache }),
    ...(progressGroup === undefined ? {} : { progressGroup }),
    ...(resources === undefined ? {} : { resources }),
  };
}

/** Sorted; most steps have one capability or two. */
export function union(sorted: readonly string[], more: readonly string[]): readonly string[] {
  const added = more.filter((cap, index) => !sorted.includes(cap) && more.indexOf(cap) === index);
  if (added.length === 0) return sorted;
  return added.length === 1 && sorted.length === 0 ? added : [...sorted, ...added].sort();
}
