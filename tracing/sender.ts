/**
 * jaeger-client's sender: gathers spans and sends them in messages as large as the transport takes, when its reporter
 * says so. What does not fit loses its oldest logs first, so that a step with a long log still shows up in its trace.
 */
import type { FinishedSpan } from '../core/contracts/index.js';
import type { ThriftProcess, ThriftSpan } from './thrift-batch.js';
import { thriftSpan } from './thrift-span.js';
import type { Transport } from './transport.js';

type Done = (spans: number, error?: string) => void;

/** Spans kept while a transport is slow; beyond it the newest are dropped and counted. */
const QUEUE_LIMIT = 20_000;
/** Of the room in a message: spans are not all of one size. */
const FILL = 0.8;
/** One without tags. */
const LEAST_SPAN_BYTES = 50;

export class BatchSender {
  readonly #transport: Transport;
  readonly #queue: ThriftSpan[] = [];
  /** Of other tracers, by service: made into messages when they are sent. */
  readonly #forwarded = new Map<string, FinishedSpan[]>();
  #process: ThriftProcess = { serviceName: 'unknown', tags: [] };
  #waiting = 0;
  #sending: Promise<void> = Promise.resolve();
  #dropped = 0;
  /** Of each span in the last message, on average. */
  #spanBytes = 500;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Spans that could not be kept or sent. */
  get dropped(): number {
    return this.#dropped;
  }

  setProcess(process: ThriftProcess): void {
    this.#process = process;
  }

  append(span: ThriftSpan, done?: Done): void {
    if (this.#admit()) {
      this.#queue.push(span);
      done?.(0);
    } else done?.(1, 'too many spans wait to be sent');
  }

  /** Takes spans that jaeger-client has not made. */
  forward(spans: readonly FinishedSpan[]): void {
    for (const span of spans) {
      if (!this.#admit()) continue;
      const queue = this.#forwarded.get(span.service);
      if (queue) queue.push(span);
      else this.#forwarded.set(span.service, [span]);
    }
  }

  flush(done?: Done): void {
    const sent = this.#waiting;
    if (sent > 0) this.#sending = this.#sending.then(() => this.#drainAll());
    this.#sending.then(
      () => done?.(sent),
      (error: unknown) => done?.(sent, String(error)),
    );
  }

  close(): void {
    this.#transport.close();
  }

  #admit(): boolean {
    if (this.#waiting >= QUEUE_LIMIT) {
      this.#dropped++;
      return false;
    }
    this.#waiting++;
    return true;
  }

  async #drainAll(): Promise<void> {
    await this.#drain(this.#process, this.#queue);
    for (const [serviceName, spans] of this.#forwarded) {
      this.#forwarded.delete(serviceName);
      const { tags } = serviceName === this.#process.serviceName ? this.#process : { tags: [] };
      await this.#drain({ serviceName, tags }, spans.map(thriftSpan));
    }
  }

  async #drain(process: ThriftProcess, queue: ThriftSpan[]): Promise<void> {
    while (queue.length > 0) {
      const { message, taken } = this.#nextMessage(process, queue);
      queue.splice(0, taken);
      this.#waiting -= taken;
      const sent = message !== undefined && (await this.#sent(message));
      if (!sent) this.#dropped += taken;
    }
  }

  /** A transport that fails is an agent that is away: the build goes on without these spans. */
  #sent(message: Buffer): Promise<boolean> {
    return this.#transport.send(message).then(
      () => true,
      () => false,
    );
  }

  /** As many spans from the front as should fit by the size of those before; halved until they do. */
  #nextMessage(
    process: ThriftProcess,
    queue: readonly ThriftSpan[],
  ): { message: Buffer | undefined; taken: number } {
    const { limit } = this.#transport;
    let taken = Math.min(queue.length, Math.max(1, Math.floor((limit * FILL) / this.#spanBytes)));
    for (;;) {
      const message = this.#transport.encode(process, queue.slice(0, taken));
      this.#spanBytes = Math.max(LEAST_SPAN_BYTES, message.length / taken);
      if (message.length <= limit) return { message, taken };
      if (taken === 1) return { message: this.#shortened(process, queue[0]!), taken };
      taken = Math.ceil(taken / 2);
    }
  }

  #shortened(process: ThriftProcess, span: ThriftSpan): Buffer | undefined {
    for (let logs = span.logs; logs.length > 0; ) {
      logs = logs.slice(Math.ceil(logs.length / 2));
      const message = this.#transport.encode(process, [{ ...span, logs }]);
      if (message.length <= this.#transport.limit) return message;
    }
    return undefined;
  }
}
