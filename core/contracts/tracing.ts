import { family, type Token, type TokenFamily, token } from './token.js';

/** What identifies a span across processes. Encodings (uber-trace-id, traceparent) live in `tracing/`. */
export interface SpanContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  readonly sampled: boolean;
}

export type TagValue = string | number | boolean;

export interface Span {
  readonly context: SpanContext;
  setTag(key: string, value: TagValue): void;
  log(fields: Readonly<Record<string, TagValue>>): void;
  /** Tags the span as failed and logs the error; does not finish it. */
  fail(error: unknown): void;
  /** Idempotent. */
  finish(): void;
}

export interface SpanOptions {
  /** Absent: a new trace begins. */
  readonly parent?: SpanContext | undefined;
  /** A span this one was caused by but does not belong to (a step shared with another build). */
  readonly followsFrom?: SpanContext;
  readonly kind?: 'client' | 'server' | 'internal';
  readonly tags?: Readonly<Record<string, TagValue>>;
}

/** A span that is over, made here or by a client. */
export interface FinishedSpan {
  /** The program that made it. */
  readonly service: string;
  /** The library that made it, if it says so. */
  readonly scope?: string;
  readonly name: string;
  readonly context: SpanContext;
  readonly parentSpanId: string | undefined;
  readonly kind: 'client' | 'server' | 'internal';
  /** Milliseconds since the epoch, with fraction. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly tags: Readonly<Record<string, TagValue>>;
  readonly logs: readonly { readonly at: number; readonly fields: Readonly<Record<string, TagValue>> }[];
  /** Spans it was caused by, but does not belong to. */
  readonly links: readonly SpanContext[];
  /** Why it failed. */
  readonly error?: string;
}

/**
 * The tracer port. The default implementation does nothing and costs nothing; `tracing/` binds one over
 * opentracing and jaeger-client. `traceBelow` is the usual way in:
 *
 * ```ts
 * const digest = await traceBelow(tracing, 'content hash', { ref: ref.id }, progress, () => hash(ref, signal));
 * ```
 */
export interface Tracing extends AsyncDisposable {
  start(name: string, options?: SpanOptions): Span;
  /** Runs `work` with a new span, fails the span with its error, and finishes it. */
  trace<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>;
  /** The header pairs that carry `context` to another process (`traceparent` and `uber-trace-id`). */
  inject(context: SpanContext): Readonly<Record<string, string>>;
  /** `header` answers one header's value; unreadable values count as absent. */
  extract(header: (name: string) => string | undefined): SpanContext | undefined;
  /** Takes spans of clients to where its own ones go. Absent where they would go nowhere. */
  forward?(spans: readonly FinishedSpan[]): void;
}
export const Tracing: Token<Tracing> = token('Tracing');

/** What a tracing plugin binds: the engine opens the backends in order of their ids and uses the first tracer it gets. */
export interface TracingBackend {
  /** undefined when the configuration asks for no spans. */
  open(serviceName: string): Promise<Tracing | undefined>;
}
export const TracingBackends: TokenFamily<TracingBackend> = family('TracingBackend');

const nowhere: SpanContext = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), sampled: false };
const silentSpan: Span = { context: nowhere, setTag() {}, log() {}, fail() {}, finish() {} };

/** Does nothing: what runs when nobody asked for spans. */
export const silentTracing: Tracing = {
  start: () => silentSpan,
  trace: (_name, _options, work) => work(silentSpan),
  inject: () => ({}),
  extract: () => undefined,
  async [Symbol.asyncDispose]() {},
};
