/** The tracer port over opentracing and jaeger-client. Everything is sampled: a build is worth its trace. */
import jaeger, { type SpanContext as JaegerContext } from 'jaeger-client';
import opentracing, {
  type SpanOptions as OpenTracingOptions,
  type Span as OpenTracingSpan,
} from 'opentracing';
import {
  type FinishedSpan,
  isCanceled,
  type Span,
  type SpanContext,
  type SpanOptions,
  type TagValue,
  type Tracing,
} from '../core/contracts/index.js';
import { extract, inject } from './propagation.js';
import type { BatchSender } from './sender.js';

const { followsFrom, Tags } = opentracing;

/** How long spans wait for company: each message costs as much as some spans. Jaeger's own default. */
const FLUSH_MS = 1000;

const quiet = { info() {}, error() {} };

export class JaegerTracing implements Tracing {
  readonly #tracer: jaeger.Tracer;
  readonly #sender: BatchSender;

  constructor(serviceName: string, sender: BatchSender) {
    this.#sender = sender;
    const reporter = new jaeger.RemoteReporter(sender, { bufferFlushInterval: FLUSH_MS, logger: quiet });
    // The interval must not keep a finished process alive: closing flushes.
    reporter._intervalHandle.unref();
    this.#tracer = new jaeger.Tracer(serviceName, reporter, new jaeger.ConstSampler(true), {
      traceId128bit: true,
      logger: quiet,
    });
  }

  start(name: string, options: SpanOptions = {}): Span {
    const { parent } = options;
    const given: OpenTracingOptions = { tags: { ...options.tags } };
    if (parent) given.childOf = toJaeger(parent);
    if (options.followsFrom) given.references = [followsFrom(toJaeger(options.followsFrom))];
    const span = this.#tracer.startSpan(name, given);
    if (options.kind && options.kind !== 'internal') span.setTag(Tags.SPAN_KIND, options.kind);
    return new OpenSpan(span);
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

  inject(context: SpanContext): Record<string, string> {
    return inject(context);
  }

  extract(header: (name: string) => string | undefined): SpanContext | undefined {
    return extract(header);
  }

  forward(spans: readonly FinishedSpan[]): void {
    this.#sender.forward(spans);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#tracer.close(() => resolve()));
  }
}

const toJaeger = ({ traceId, spanId, sampled }: SpanContext): JaegerContext =>
  jaeger.SpanContext.fromString(`${traceId}:${spanId}:0:${sampled ? 1 : 0}`);

class OpenSpan implements Span {
  readonly context: SpanContext;
  readonly #span: OpenTracingSpan;
  #finished = false;

  constructor(span: OpenTracingSpan) {
    this.#span = span;
    const [traceId, spanId, , flags] = span.context().toString().split(':') as [
      string,
      string,
      string,
      string,
    ];
    this.context = {
      traceId: traceId.padStart(32, '0'),
      spanId: spanId.padStart(16, '0'),
      sampled: (Number.parseInt(flags, 16) & 1) === 1,
    };
  }

  setTag(key: string, value: TagValue): void {
    this.#span.setTag(key, value);
  }

  log(fields: Readonly<Record<string, TagValue>>): void {
    this.#span.log({ ...fields });
  }

  fail(error: unknown): void {
    if (isCanceled(error)) {
      this.setTag('canceled', true);
      return;
    }
    this.setTag(Tags.ERROR, true);
    this.log({ event: 'error', message: error instanceof Error ? error.message : String(error) });
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#span.finish();
  }
}
