/**
 * The main thread's part of a tree transfer: it moves bytes between a gRPC call and a worker thread that speaks the
 * protocol, and keeps both from running ahead of the other.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { SyncResult } from '../contracts/session.js';
import type { Threads } from '../contracts/threads.js';
import type { ChunkFlow, MessageStream } from '../util/grpc-h2/messages.js';
import { ChunkGatherer } from './chunk-gatherer.js';
import type { ToMain, ToWorker } from './port-channel.js';
import type { SendTreeArgs } from './source-of.js';
import type { ReceiveTreeArgs } from './tree-receiver.js';

export interface TransferOptions {
  readonly threads: Threads;
  readonly messages: MessageStream;
  readonly signal: AbortSignal;
  /** Bytes that went by so far. */
  readonly onBytes?: (total: number) => void;
}

/** `dest` makes the destination, if `args` name none. */
export function receiveTree(
  args: ReceiveTreeArgs,
  options: TransferOptions & { readonly dest?: () => Promise<string> },
): Promise<SyncResult> {
  const task = new URL('./receive-tree.task.js', import.meta.url);
  return new StreamTransfer(options, 'in').run(task, args, options.dest);
}

export function sendTree(source: SendTreeArgs, options: TransferOptions): Promise<void> {
  const task = new URL('./send-tree.task.js', import.meta.url);
  return new StreamTransfer(options, 'out').run(task, { source });
}

/** Bytes that may lie unprocessed at the worker before reading pauses. */
const AHEAD = 8 << 20;

class StreamTransfer {
  readonly #options: TransferOptions;
  readonly #counted: 'in' | 'out';
  readonly #port: MessagePort;
  readonly #workerPort: MessagePort;
  #untaken = 0;
  #total = 0;
  readonly #flow: ChunkFlow;
  #sending: Promise<void> = Promise.resolve();
  #done = false;

  constructor(options: TransferOptions, counted: 'in' | 'out') {
    this.#options = options;
    this.#counted = counted;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#workerPort = port2;
    port1.on('message', (message: ToMain) => this.#take(message));
    this.#flow = this.#feed();
  }

  async run<Result>(task: URL, args: object, onAsk?: () => Promise<string>): Promise<Result> {
    const { threads, signal } = this.#options;
    const failed = (): void => this.#post({ type: 'failed', message: 'context canceled' });
    signal.addEventListener('abort', failed, { once: true });
    try {
      const port = this.#workerPort;
      const options = { signal, transfer: [port], ...(onAsk ? { onAsk } : {}) };
      return await threads.run<Result>(task, { ...args, port }, options);
    } finally {
      signal.removeEventListener('abort', failed);
      await this.#finished();
    }
  }

  /** Call data to the worker. How the call failed is known to the call; the worker need only stop. */
  #feed(): ChunkFlow {
    const gathered = new ChunkGatherer((piece) => {
      if (this.#done) return;
      this.#count('in', piece.length);
      this.#untaken += piece.length;
      this.#port.postMessage({ type: 'chunk', bytes: piece } satisfies ToWorker, [piece.buffer]);
      if (this.#untaken > AHEAD) this.#flow.pause();
    });
    return this.#options.messages.pour({
      chunk: (bytes) => this.#done || gathered.add(bytes),
      end: () => {
        gathered.flush();
        this.#post({ type: 'end' });
      },
      failed: (error) => {
        gathered.flush();
        this.#post({ type: 'failed', message: messageOf(error) });
      },
    });
  }

  #take(message: ToMain): void {
    if (message.type === 'taken') {
      this.#untaken -= message.bytes;
      if (this.#untaken <= AHEAD) this.#flow.resume();
      return;
    }
    const { bytes } = message;
    this.#sending = this.#sending.then(() => this.#send(bytes));
  }

  async #send(bytes: Uint8Array): Promise<void> {
    try {
      await this.#options.messages.sendFrames(bytes);
      this.#count('out', bytes.length);
      this.#post({ type: 'sent', bytes: bytes.length });
    } catch (error) {
      this.#post({ type: 'failed', message: messageOf(error) });
    }
  }

  /** The worker is done; what it posted before that lies in the port and is still to be sent. */
  async #finished(): Promise<void> {
    for (let got = receiveMessageOnPort(this.#port); got; got = receiveMessageOnPort(this.#port)) {
      this.#take(got.message as ToMain);
    }
    // What still arrives is read, or the call would not end, and left.
    this.#done = true;
    this.#flow.resume();
    await this.#sending;
    this.#port.close();
  }

  #count(direction: 'in' | 'out', bytes: number): void {
    if (direction !== this.#counted) return;
    this.#total += bytes;
    this.#options.onBytes?.(this.#total);
  }

  #post(message: ToWorker): void {
    this.#port.postMessage(message);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
