/** Differences of a case, and which of them are meant to be. */
import type { Exception, NamedCase } from './case.js';
import { compare, type Difference, type Facts } from './facts.js';
import { everywhere } from './known-differences.js';

export interface Verdict {
  readonly one: NamedCase;
  /** Compared facts, of all builds. */
  readonly facts: number;
  readonly found: readonly Found[];
  /** Exceptions of the case that nothing needed. */
  readonly stale: readonly Exception[];
  readonly seconds: number;
}

export interface Found extends Difference {
  /** Counted from 1. */
  readonly build: number;
  /** Why it is meant to be; `undefined`: it is not. */
  readonly reason: string | undefined;
}

/** What was seen of a case, without an opinion. */
export interface Observation {
  readonly facts: number;
  readonly differences: readonly (Difference & { readonly build: number })[];
  readonly seconds: number;
}

export function observe(real: readonly Facts[], ours: readonly Facts[], seconds: number): Observation {
  const differences = real.flatMap((facts, index) =>
    compare(facts, ours[index] ?? new Map()).map((difference) => ({ ...difference, build: index + 1 })),
  );
  return { facts: real.reduce((sum, facts) => sum + facts.size, 0), differences, seconds };
}

export function judge(one: NamedCase, { differences, facts, seconds }: Observation): Verdict {
  const used = new Set<Exception>();
  const reasonOf = ({ fact, real, ours }: Difference): string | undefined => {
    const exceptions = [...(one.differs ?? []), ...everywhere];
    const exception = exceptions.find((entry) => entry.fact.test(`${fact}: ${real} | ${ours}`));
    if (exception) used.add(exception);
    return exception?.reason;
  };
  const found = differences.map((difference) => ({ ...difference, reason: reasonOf(difference) }));
  return { one, facts, found, stale: (one.differs ?? []).filter((entry) => !used.has(entry)), seconds };
}

/** What came out is the same: progress and messages differ at most. */
export const isSameResult = ({ found }: Verdict): boolean =>
  found.every(({ fact }) => /^(step |stderr$|stdout$)/.test(fact));
export const isSame = ({ found }: Verdict): boolean => found.length === 0;
export const isExplained = ({ found }: Verdict): boolean => found.every(({ reason }) => reason !== undefined);
