/**
 * The end of a build's trace. Spans of the client come after the build: so recording goes on for a moment, or until
 * somebody asks for the trace. BuildKit: solver/llbsolver/solver.go.
 */
import type { FinishedSpan } from '../contracts/index.js';
import { deferred } from '../util/deferred.js';
import type { TraceRecording } from './traces/trace-recorder.js';

/** How long spans are waited for after a build. */
const LATE_MS = 3000;

export class TraceEnd {
  /** Resolves when the trace is written. */
  readonly done: Promise<void>;
  readonly #asked = deferred<void>();

  constructor(trace: TraceRecording, write: (spans: readonly FinishedSpan[]) => Promise<void>) {
    const timer = setTimeout(() => this.#asked.resolve(), LATE_MS);
    timer.unref();
    this.done = this.#asked.promise.then(async () => {
      clearTimeout(timer);
      trace[Symbol.dispose]();
      if (trace.spans.length > 0) await write(trace.spans);
    });
  }

  /** Ends it now. */
  finalize(): Promise<void> {
    this.#asked.resolve();
    return this.done;
  }
}
