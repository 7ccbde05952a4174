/** Tells spans that have come before: clients send theirs over each connection that they have, `docker buildx` four times. */
import type { FinishedSpan } from '../../contracts/index.js';

/** Copies come right after one another. */
const REMEMBERED = 10_000;

export class SeenSpans {
  readonly #ids = new Set<string>();

  /** Those that are new. */
  unseen(spans: readonly FinishedSpan[]): FinishedSpan[] {
    return spans.filter(({ context }) => this.#add(`${context.traceId}${context.spanId}`));
  }

  #add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > REMEMBERED) this.#ids.delete(this.#ids.values().next().value!);
    return true;
  }
}
