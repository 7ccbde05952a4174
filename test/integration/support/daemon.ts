/** A buildkitd process over a folder of its own, and buildctl calls to it. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Finished, programs, type RunOptions, run, start } from './processes.js';

export interface DaemonOptions {
  /** Holds the state (`root`), the socket and the configuration. */
  readonly home: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Content of buildkitd.toml. */
  readonly config?: string;
  /** Starts the daemon, in the place of its bundle. */
  readonly command?: readonly [string, ...string[]];
  /** Whose home it is. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

export interface Ended {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

const READY = 'running server on ';

export class DaemonProcess implements AsyncDisposable {
  readonly root: string;
  readonly address: string;
  /** Milliseconds from the start of the process until it listened. */
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  readonly #log: { text: string };

  private constructor(paths: Paths, startMs: number, running: Running) {
    this.root = paths.root;
    this.address = paths.address;
    this.startMs = startMs;
    this.#child = running.child;
    this.#ended = running.ended;
    this.#log = running.log;
  }

  /** Resolves when it listens; rejects with its log when it ends before. */
  static async start(options: DaemonOptions): Promise<DaemonProcess> {
    const begun = performance.now();
    const [paths, running] = await spawnDaemon(options);
    await running.listening;
    return new DaemonProcess(paths, performance.now() - begun, running);
  }

  /** Kills it that many milliseconds after its start, whatever it is doing by then. */
  static async startAndKill(options: DaemonOptions, afterMs: number): Promise<void> {
    const [, running] = await spawnDaemon(options);
    running.listening.catch(() => undefined);
    await sleep(afterMs);
    running.child.kill('SIGKILL');
    await running.ended;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get log(): string {
    return this.#log.text;
  }

  /** Waits until the log says so; answers what matched. */
  async logged(pattern: RegExp, patienceMs = 10_000): Promise<string> {
    const signal = AbortSignal.timeout(patienceMs);
    for (;;) {
      const [found] = pattern.exec(this.#log.text) ?? [];
      if (found !== undefined) return found;
      await once(this.#child.stderr!, 'data', { signal });
    }
  }

  buildctl(args: readonly string[], options?: RunOptions): Promise<Finished> {
    return run(programs.buildctl, ['--addr', this.address, ...args], options);
  }

  /** A client that goes on while the test does something else. */
  startBuildctl(args: readonly string[], options?: RunOptions): ChildProcess {
    return start(programs.buildctl, ['--addr', this.address, ...args], options);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.#child.kill(signal);
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.stop();
    clearTimeout(patience);
  }
}

interface Paths {
  readonly root: string;
  readonly address: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly listening: Promise<void>;
  readonly log: { text: string };
}

async function spawnDaemon({
  home,
  args = [],
  env,
  config = '',
  command = [programs.buildkitd],
  owner,
}: DaemonOptions): Promise<[Paths, Running]> {
  const paths = { root: join(home, 'root'), address: `unix://${home}/buildkitd.sock` };
  const file = join(home, 'buildkitd.toml');
  await mkdir(home, { recursive: true });
  await writeFile(file, config);
  // Tests end daemons whose builds are of no interest any more; `args` come after it.
  const prompt = ['--drain', '0s'];
  const flags = ['--config', file, '--root', paths.root, '--addr', paths.address, ...prompt, ...args];
  if (owner) await chown(home, owner.uid, owner.gid);
  const [program, ...before] = command;
  const child = start(program, [...before, ...flags], env ? { env } : {});
  const log = { text: '' };
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  });
  const listening = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(new Error(`buildkitd ended before it listened:\n${log.text}`)));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      log.text += text;
      if (log.text.includes(READY)) resolve();
    });
  });
  return [paths, { child, ended, listening, log }];
}
