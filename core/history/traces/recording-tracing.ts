/**
 * A tracer whose spans end up in a {@link TraceRecorder}, besides going where another tracer sends them. That one gets
 * them when they are over, if it is the engine's own and takes spans that it has not made (`forward`). Else each is made
 * twice, with its ids: a tracer that was given has a name of its own for the program.
 */
import { randomBytes } from 'node:crypto';
import {
  BuildError,
  type FinishedSpan,
  isCanceled,
  type Span,
  type SpanContext,
  type SpanOptions,
  silentTracing,
  type TagValue,
  type Tracing,
} from '../../contracts/index.js';
import { SeenSpans } from './seen-spans.js';
import type { TraceRecorder } from './trace-recorder.js';
import { extractTraceparent, traceparentOf } from './traceparent.js';

export class RecordingTracing implements Tracing {
  readonly #service: string;
  readonly #owned: boolean;
  readonly #recorder: TraceRecorder;
  readonly #inner: Tracing | undefined;
  /** The inner tracer gets spans that are over. */
  readonly #sends: boolean;
  readonly #forwarded = new SeenSpans();

  constructor(
    service: string,
    recorder: TraceRecorder,
    inner: Tracing,
    { owned }: { readonly owned: boolean },
  ) {
    this.#owned = owned;
    this.#service = service;
    this.#recorder = recorder;
    this.#inner = inner === silentTracing ? undefined : inner;
    this.#sends = owned && inner.forward !== undefined;
  }

  start(name: string, options: SpanOptions = {}): Span {
    const { parent } = options;
    const sent = this.#sends ? undefined : this.#inner?.start(name, options);
    const context = sent?.context ?? newContext(parent);
    return new RecordedSpan({
      context,
      sent,
      record: {
        service: this.#service,
        name,
        context,
        parentSpanId: parent?.spanId,
        kind: options.kind ?? 'internal',
        startedAt: now(),
        endedAt: 0,
        tags: { ...options.tags },
        logs: [],
        links: options.followsFrom ? [options.followsFrom] : [],
      },
      finished: this.#finished,
    });
  }

  async trace<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
    const span = this.start(name, options);
    try {
      return await work(span);
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.finish();
    }
  }

  inject(context: SpanContext): Readonly<Record<string, string>> {
    return this.#inner?.inject(context) ?? { traceparent: traceparentOf(context) };
  }

  extract(header: (name: string) => string | undefined): SpanContext | undefined {
    return this.#inner ? this.#inner.extract(header) : extractTraceparent(header('traceparent'));
  }

  readonly #finished = (span: FinishedSpan): void => {
    this.#recorder.add(span);
    if (this.#sends && span.context.sampled) this.#inner?.forward?.([span]);
  };

  forward(spans: readonly FinishedSpan[]): void {
    const unseen = this.#forwarded.unseen(spans);
    for (const span of unseen) this.#recorder.add(span);
    this.#inner?.forward?.(unseen);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#owned) await this.#inner?.[Symbol.asyncDispose]();
  }
}

/** Milliseconds since the epoch, with fraction. */
const now = (): number => performance.timeOrigin + performance.now();

/** Random bytes for ids, fetched many at once: a call of the kernel costs more than a span. */
let pool = Buffer.alloc(0);
let taken = 0;
function randomHex(bytes: number): string {
  if (taken + bytes > pool.length) [pool, taken] = [randomBytes(4096), 0];
  taken += bytes;
  return pool.toString('hex', taken - bytes, taken);
}

const newContext = (parent: SpanContext | undefined): SpanContext => ({
  traceId: parent?.traceId ?? randomHex(16),
  spanId: randomHex(8),
  sampled: parent?.sampled ?? true,
});

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface SpanParts {
  readonly context: SpanContext;
  /** The same span of the other tracer. */
  readonly sent: Span | undefined;
  /** What is recorded of it, completed when it is over. */
  readonly record: Mutable<FinishedSpan>;
  readonly finished: (span: FinishedSpan) => void;
}

class RecordedSpan implements Span {
  readonly context: SpanContext;
  readonly #sent: Span | undefined;
  readonly #finished: (span: FinishedSpan) => void;
  readonly #record: Mutable<FinishedSpan>;
  #over = false;

  constructor({ context, sent, record, finished }: SpanParts) {
    this.context = context;
    this.#sent = sent;
    this.#record = record;
    this.#finished = finished;
  }

  /** What comes after its end comes too late. */
  setTag(key: string, value: TagValue): void {
    if (!this.#over) (this.#record.tags as Record<string, TagValue>)[key] = value;
    this.#sent?.setTag(key, value);
  }

  log(fields: Readonly<Record<string, TagValue>>): void {
    if (!this.#over) this.#record.logs = [...this.#record.logs, { at: now(), fields }];
    this.#sent?.log(fields);
  }

  fail(error: unknown): void {
    if (isCanceled(error)) this.setTag('canceled', true);
    else {
      if (!this.#over) this.#record.error = BuildError.from(error).message;
      this.#sent?.fail(error);
    }
  }

  finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#record.endedAt = now();
    this.#finished(this.#record);
    this.#sent?.finish();
  }
}
