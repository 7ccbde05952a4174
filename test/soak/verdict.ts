/** What samples may not show: anything held without a build, more disk than allowed, growth of a daemon that only repeats. */
import { absent, bytes, type Quantity, type Sample } from './sample.js';

/** Growth that is none, from a median to a later one: by so much, and by this share. */
const allowance: Readonly<Partial<Record<Quantity, { readonly by: number; readonly share: number }>>> = {
  heap: { by: 6 << 20, share: 0.15 },
  external: { by: 16 << 20, share: 0.25 },
  rss: { by: 48 << 20, share: 0.2 },
  descriptors: { by: 6, share: 0 },
  threads: { by: 4, share: 0 },
  mounts: { by: 0, share: 0 },
  children: { by: 0, share: 0 },
  'network namespaces': { by: 8, share: 0 },
};

/** Samples of one life that a trend can be read from. */
const ENOUGH = 6;

/** Manifests, configurations and logs belong to no record of the cache. */
const UNCOUNTED_BYTES_OF_A_BUILD = 64 << 10;

export interface Caps {
  readonly cacheBytes: number;
  /** Builds whose records are kept. */
  readonly history: number;
}

/** While this is not empty, what is on its way out may get some more time. */
export function untidy(sample: Sample, { cacheBytes, history }: Caps): readonly string[] {
  const left = absent.filter((name) => sample[name] !== 0).map((name) => `${name}: ${sample[name]}`);
  const uncounted = (sample.history + history) * UNCOUNTED_BYTES_OF_A_BUILD;
  if (sample.du > cacheBytes) left.push(`the cache has ${sample.du} bytes, with a cap of ${cacheBytes}`);
  const { trees, blobs, du } = sample;
  if (Math.abs(trees + blobs - du) > uncounted) {
    left.push(`${trees} bytes of trees and ${blobs} of blobs on disk, where records say ${du}`);
  }
  return left;
}

/** By medians of the first and the last third of the last life, its first samples left out as warm-up. */
export function growth(samples: readonly Sample[]): readonly string[] {
  const last = samples.filter(({ life }) => life === samples.at(-1)?.life);
  if (last.length < ENOUGH) return [];
  const settled = last.slice(Math.ceil(last.length / 4));
  const third = Math.max(1, Math.floor(settled.length / 3));
  return Object.entries(allowance).flatMap(([name, { by, share }]) => {
    const of = (part: readonly Sample[]): number => median(part.map((each) => each[name as Quantity]));
    const [before, after] = [of(settled.slice(0, third)), of(settled.slice(-third))];
    if (after <= before * (1 + share) + by) return [];
    return [`${name} grew from ${tell(name as Quantity, before)} to ${tell(name as Quantity, after)}`];
  });
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

export const tell = (name: Quantity, value: number): string =>
  bytes.has(name) ? `${(value / 2 ** 20).toFixed(1)} MB` : String(value);
