/** Keeps the spans of traces that somebody records, from this process and from clients. */
import type { FinishedSpan } from '../../contracts/index.js';

/** Of one recording; a build with more steps than this has a trace that nobody reads. */
const SPAN_LIMIT = 100_000;

export interface TraceRecording extends Disposable {
  /** All spans so far, in the order in which they ended. */
  readonly spans: readonly FinishedSpan[];
}

export class TraceRecorder {
  readonly #recordings = new Map<string, Set<FinishedSpan[]>>();

  add(span: FinishedSpan): void {
    const recordings = this.#recordings.get(span.context.traceId);
    if (!recordings) return;
    for (const spans of recordings) if (spans.length < SPAN_LIMIT) spans.push(span);
  }

  /** From now on, until the answer is disposed. Builds of one trace have all of it, each. */
  record(traceId: string): TraceRecording {
    const spans: FinishedSpan[] = [];
    const recordings = this.#recordings.get(traceId) ?? new Set();
    this.#recordings.set(traceId, recordings.add(spans));
    return {
      spans,
      [Symbol.dispose]: () => {
        recordings.delete(spans);
        if (recordings.size === 0) this.#recordings.delete(traceId);
      },
    };
  }
}
