/** What every call of the API carries, over a socket or in process. */
import type { SpanContext } from '../contracts/index.js';

export interface Call {
  /** Aborts when the caller is gone or no longer interested. */
  readonly signal: AbortSignal;
  /** The caller's span. */
  readonly trace?: SpanContext | undefined;
}
