/**
 * What was seen of a build: a flat table, `exit` → `1`, `out/image config.Env[0]` → `PATH=…`. Everything that is compared
 * becomes such lines, so that comparing is one function and each difference names itself.
 */
export type Facts = ReadonlyMap<string, string>;

export interface Difference {
  readonly fact: string;
  /** `undefined`: there is no such fact. */
  readonly real: string | undefined;
  readonly ours: string | undefined;
}

export function compare(real: Facts, ours: Facts): readonly Difference[] {
  const names = [...new Set([...real.keys(), ...ours.keys()])].sort();
  return names
    .map((fact) => ({ fact, real: real.get(fact), ours: ours.get(fact) }))
    .filter((pair) => pair.real !== pair.ours);
}

/** JSON as facts, one a leaf; `{}` and `[]` are leaves too. */
export function flatten(value: unknown, at: string, into: Map<string, string>): void {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null) {
    into.set(at, JSON.stringify(value));
    return;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) into.set(at, Array.isArray(value) ? '[]' : '{}');
  for (const [key, child] of entries) {
    flatten(child, Array.isArray(value) ? `${at}[${key}]` : `${at}.${key}`, into);
  }
}
