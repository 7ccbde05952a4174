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

export function judge(
  one: NamedCase,
  real: readonly Facts[],
  ours: readonly Facts[],
  seconds: number,
): Verdict {
  const used = new Set<Exception>();
  const reasonOf = (text: string): string | undefined => {
    const exception = [...(one.differs ?? []), ...everywhere].find(({ fact }) => fact.test(text));
    if (exception) used.add(exception);
    return exception?.reason;
  };
  const found = real.flatMap((facts, index) =>
    compare(facts, ours[index] ?? new Map()).map((difference) => ({
      ...difference,
      build: index + 1,
      reason: reasonOf(`${difference.fact}: ${difference.real} | ${difference.ours}`),
    })),
  );
  const facts = real.reduce((sum, one) => sum + one.size, 0);
  return { one, facts, found, stale: (one.differs ?? []).filter((entry) => !used.has(entry)), seconds };
}

export const isSame = ({ found }: Verdict): boolean => found.length === 0;
export const isExplained = ({ found }: Verdict): boolean => found.every(({ reason }) => reason !== undefined);
