/** The main thread's handle on the thread that prepares bundles. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { BuildError } from '../../../core/contracts/errors.js';
import type { ExecProcess } from '../../../core/contracts/executor.js';
import type { Threads } from '../../../core/contracts/threads.js';
import { type Deferred, deferred } from '../../../core/util/deferred.js';
import { type ContainerRequest, reviveError } from '../shared/container-host/protocol.js';
import type { BundleArgs } from './bundle-host.task.js';
import type { BundleAnswer, BundleCommand, BundleSettings } from './bundle-protocol.js';

const task = new URL('./bundle-host.task.js', import.meta.url);

const closed = (): BuildError =>
  new BuildError('exec.host', 'the worker has been closed', { grpcCode: 'Unavailable' });

type Call = Exclude<BundleCommand, { type: 'close' }>;
type Request = Call extends infer C ? (C extends Call ? Omit<C, 'call'> : never) : never;

export class BundleHost implements AsyncDisposable {
  readonly #port: MessagePort;
  readonly #calls = new Map<number, Deferred<string>>();
  readonly #ready = deferred<void>();
  readonly #ended: Promise<void>;
  #made = 0;
  #dead: Error | undefined;

  static async open(settings: BundleSettings, threads: Threads): Promise<BundleHost> {
    const host = new BundleHost(settings, threads);
    await host.#ready.promise;
    return host;
  }

  private constructor(settings: BundleSettings, threads: Threads) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const args: BundleArgs = { settings, port: port2 };
    const running = threads.run<void>(task, args, {
      // It is asked to end by `close`, so that nothing is left behind.
      signal: new AbortController().signal,
      onReport: (answer) => this.#receive(answer as BundleAnswer),
      transfer: [port2],
      dedicated: true,
    });
    this.#ended = running.then(
      () => this.#end(closed()),
      (error: Error) => this.#end(error),
    );
  }

  /** Mounts everything; answers the spec, as JSON. What was made is given up by `release`. */
  prepare(request: ContainerRequest): Promise<string> {
    return this.#call({ type: 'prepare', request });
  }

  /** The spec of one more process in a container. */
  process(container: string, process: ExecProcess): Promise<string> {
    return this.#call({ type: 'process', container, process });
  }

  async release(container: string): Promise<void> {
    await this.#call({ type: 'release', container });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#dead) this.#port.postMessage({ type: 'close' } satisfies BundleCommand);
    await this.#ended;
  }

  #call(request: Request): Promise<string> {
    if (this.#dead) return Promise.reject(this.#dead);
    const call = ++this.#made;
    const answer = deferred<string>();
    this.#calls.set(call, answer);
    this.#port.postMessage({ ...request, call });
    return answer.promise;
  }

  #receive(answer: BundleAnswer): void {
    if (answer.type === 'ready') {
      this.#ready.resolve();
      return;
    }
    const call = this.#calls.get(answer.call);
    this.#calls.delete(answer.call);
    if (answer.type === 'done') call?.resolve(answer.json);
    else call?.reject(reviveError(answer.error));
  }

  #end(error: Error): void {
    this.#dead = error;
    this.#ready.reject(error);
    // Nobody may be waiting for it any more.
    this.#ready.promise.catch(() => {});
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    this.#port.close();
  }
}
