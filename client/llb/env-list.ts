/**
 * The variables of a state. States never change, and a Dockerfile makes a new one for every variable: lists that follow
 * one another share one journal, of which each sees the beginning. Only a list that is continued a second time copies it.
 */
export class EnvList implements ReadonlyMap<string, string> {
  readonly #journal: Journal;
  /** How much of the journal is of this list. */
  readonly #length: number;
  readonly size: number;

  private constructor(journal: Journal, length: number, size: number) {
    this.#journal = journal;
    this.#length = length;
    this.size = size;
  }

  /** `env` with one more variable. One that is set again moves to the end, as in Go's EnvList. */
  static set(env: ReadonlyMap<string, string>, key: string, value: string): EnvList {
    const list = env instanceof EnvList ? env : EnvList.#copy(env);
    const { entries } = list.#journal;
    const isLast = entries.length === list.#length;
    // Variables that are set over and over must not make the journal long.
    const isLong = list.#length > 2 * list.size + SLACK;
    return (isLast && !isLong ? list : EnvList.#copy(list)).#add(key, value);
  }

  static #copy(env: ReadonlyMap<string, string>): EnvList {
    const journal: Journal = { entries: [], last: new Map() };
    for (const [key, value] of env) {
      journal.last.set(key, journal.entries.length);
      journal.entries.push({ key, value, former: NONE });
    }
    return new EnvList(journal, journal.entries.length, journal.entries.length);
  }

  #add(key: string, value: string): EnvList {
    const { entries, last } = this.#journal;
    const former = last.get(key) ?? NONE;
    last.set(key, this.#length);
    entries.push({ key, value, former });
    return new EnvList(this.#journal, this.#length + 1, this.size + (former === NONE ? 1 : 0));
  }

  /** Where a variable was last set in this list. */
  #place(key: string): number {
    const { entries, last } = this.#journal;
    let place = last.get(key) ?? NONE;
    while (place >= this.#length) place = entries[place]!.former;
    return place;
  }

  get(key: string): string | undefined {
    const place = this.#place(key);
    return place === NONE ? undefined : this.#journal.entries[place]!.value;
  }

  has(key: string): boolean {
    return this.#place(key) !== NONE;
  }

  *entries(): MapIterator<[string, string]> {
    for (let at = 0; at < this.#length; at++) {
      const { key, value } = this.#journal.entries[at]!;
      if (this.#place(key) === at) yield [key, value];
    }
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  forEach(each: (value: string, key: string, env: ReadonlyMap<string, string>) => void): void {
    for (const [key, value] of this.entries()) each(value, key, this);
  }
}

interface Journal {
  readonly entries: {
    readonly key: string;
    readonly value: string;
    /** Where the variable was set before that. */
    readonly former: number;
  }[];
  /** Where each variable was last set. */
  readonly last: Map<string, number>;
}

const NONE = -1;
const SLACK = 32;
