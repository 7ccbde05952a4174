/** What was done to the daemon and when, so that a failure can be told from damage that was meant. */
export type Trouble = 'restart' | 'kill' | 'killed step' | 'killed thread';

interface Entry {
  readonly trouble: Trouble;
  readonly from: number;
  until: number | undefined;
}

/** A step that was killed may be told of so much later, in milliseconds. */
const AFTERMATH_MS = 1000;

export class Journal {
  readonly #entries: Entry[] = [];

  /** From now on, until the answer is disposed. */
  begin(trouble: Trouble): Disposable {
    const entry: Entry = { trouble, from: performance.now(), until: undefined };
    this.#entries.push(entry);
    return {
      [Symbol.dispose]() {
        entry.until = performance.now() + AFTERMATH_MS;
      },
    };
  }

  /** What happened since `from`. */
  since(from: number): readonly Trouble[] {
    return this.#entries
      .filter(({ until }) => until === undefined || until >= from)
      .map(({ trouble }) => trouble);
  }

  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { trouble } of this.#entries) counts[trouble] = (counts[trouble] ?? 0) + 1;
    return counts;
  }
}
