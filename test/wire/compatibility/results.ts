/** What cases came to in earlier runs, in a file: so a run of a few cases can bring the whole page up to date. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { NamedCase } from './case.js';
import type { Observation } from './judge.js';

export const titleOf = ({ area, name }: NamedCase): string => `${area}: ${name}`;

export class Results {
  readonly #file: string | undefined;
  readonly #seen = new Map<string, Observation>();

  /** Without a file, only those of this run. */
  constructor(file: string | undefined) {
    this.#file = file;
    if (!file || !existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
      const { title, observation } = JSON.parse(line) as Line;
      this.#seen.set(title, observation);
    }
  }

  of(one: NamedCase): Observation | undefined {
    return this.#seen.get(titleOf(one));
  }

  add(one: NamedCase, observation: Observation): void {
    const line: Line = { title: titleOf(one), observation };
    this.#seen.set(line.title, observation);
    if (this.#file) appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

interface Line {
  readonly title: string;
  readonly observation: Observation;
}
