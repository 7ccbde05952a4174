/** The one daemon of a soak, which is stopped, killed and started again under its clients. */
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type DaemonOptions, DaemonProcess } from '../integration/support/daemon.js';

/** Of a log, in characters. */
const LAST_WORDS = 6000;

export type Stop = 'SIGTERM' | 'SIGKILL';

/** Ends a random thread of the daemon when it gets SIGUSR2. */
const threadKiller = join(import.meta.dirname, 'thread-killer.mjs');

export class DaemonKeeper implements AsyncDisposable {
  readonly home: string;
  readonly #options: DaemonOptions;
  readonly #debugSocket: string;
  #process: DaemonProcess;
  #lives = 1;
  #logs = '';

  private constructor(options: DaemonOptions, debugSocket: string, process: DaemonProcess) {
    this.home = options.home;
    this.#options = options;
    this.#debugSocket = debugSocket;
    this.#process = process;
  }

  static async start({
    home,
    config,
  }: {
    readonly home: string;
    readonly config: string;
  }): Promise<DaemonKeeper> {
    const debugSocket = join(home, 'debug.sock');
    const options: DaemonOptions = {
      home,
      config,
      args: ['--drain', '2s', '--debugaddr', `unix://${debugSocket}`],
      env: { NODE_OPTIONS: `--import=${threadKiller}`, TMPDIR: home },
    };
    return new DaemonKeeper(options, debugSocket, await DaemonProcess.start(options));
  }

  get process(): DaemonProcess {
    return this.#process;
  }

  /** How many daemons there have been. */
  get lives(): number {
    return this.#lives;
  }

  /** Of all lives. */
  get log(): string {
    return this.#logs + this.#process.log;
  }

  /** A daemon that does not end by itself is a failure of its own. */
  async restart(stop: Stop): Promise<void> {
    const ended = await this.#process.stop(stop);
    if (stop === 'SIGTERM' && ended.code !== 0) {
      throw new Error(
        `the daemon ended with ${ended.code ?? ended.signal}:\n${this.#process.log.slice(-4000)}`,
      );
    }
    this.#logs += this.#process.log;
    this.#process = await DaemonProcess.start(this.#options);
    this.#lives++;
  }

  endThread(): void {
    process.kill(this.#process.pid, 'SIGUSR2');
  }

  /** From its debug address. */
  ask(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      request({ socketPath: this.#debugSocket, path }, (response) => text(response).then(resolve, reject))
        .on('error', (cause) =>
          reject(new Error(`the daemon does not answer:\n${this.#lastWords()}`, { cause })),
        )
        .end();
    });
  }

  /** The end of its log, and whether it is still there. */
  #lastWords(): string {
    const { pid, log } = this.#process;
    const state = existsSync(`/proc/${pid}`) ? 'runs' : 'is gone';
    return `${log.slice(-LAST_WORDS)}\n(the process ${pid} ${state})`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
