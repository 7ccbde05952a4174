/**
 * One call of the OCI runtime that stays for as long as its process in the container does (`run`, `exec`): passes
 * streams on, within a window, and tells when the process runs.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { BuildError } from '../../../../core/contracts/errors.js';
import type { TerminalSize } from '../../../../core/contracts/executor.js';
import { closeDescriptor } from '../../../../core/util/linux/descriptors.js';
import { descriptorOf } from '../../../../core/util/linux/process.js';
import { setTerminalSize } from '../../../../core/util/linux/pty.js';
import { isErrno } from '../../../../core/util/linux/system-error.js';
import type { HostProgram } from './host-program.js';
import { PipedProgram } from './piped-program.js';
import type { HostEvent, Runtime } from './protocol.js';
import { runtimeErrors } from './runtime-log.js';
import { TerminalProgram } from './terminal-program.js';

export interface RuntimeCallOptions {
  readonly runtime: Runtime;
  /** What the events go by. */
  readonly id: string;
  readonly command: 'run' | 'exec';
  /** The runtime's own folder. */
  readonly state: string;
  readonly args: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly log: string;
  /** Where the runtime writes the process id; its folder holds nothing else. Then `started` is told. */
  readonly pidFile: string | undefined;
  emit(event: HostEvent): void;
}

/** Output that may be on its way to whoever listens; beyond it the container's pipes fill up. */
const OUTPUT_WINDOW_BYTES = 1 << 20;
/** Exit codes that a runtime gives for its own failures. */
const runtimeFailures = new Set([1, 125, 126, 127, 255]);
const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

export class RuntimeCall {
  readonly ended: Promise<number>;
  readonly #options: RuntimeCallOptions;
  readonly #program: HostProgram;
  #inFlight = 0;
  #watcher: fs.FSWatcher | undefined;

  constructor(options: RuntimeCallOptions) {
    this.#options = options;
    const { runtime, tty, stdin } = options;
    this.#watchStart();
    const Program = tty ? TerminalProgram : PipedProgram;
    this.#program = new Program(runtime.path, { args: commandLine(options), env, stdin });
    for (const { name, stream } of this.#program.outputs) {
      stream.on('data', (data: Buffer) => this.#output(name, stream, data));
    }
    if (this.#program.input) this.#wantStdin();
    this.ended = this.#program.ended.finally(() => this.#watcher?.close());
  }

  /** Of the runtime, whose child the container's first process is. */
  get pid(): number {
    return this.#program.pid;
  }

  /** The listener has passed on so many bytes. */
  taken(bytes: number): void {
    this.#inFlight -= bytes;
    if (this.#inFlight >= OUTPUT_WINDOW_BYTES) return;
    for (const { stream } of this.#program.outputs) stream.resume();
  }

  /** More stdin, or its end. */
  write(data: Uint8Array | undefined): void {
    if (data === undefined) this.#program.input?.end();
    else this.#program.input?.write(data, () => this.#wantStdin());
  }

  /** Of the container's terminal itself: not every runtime passes on the size of the one around it. */
  resize(size: TerminalSize): void {
    const pid = this.#containerPid();
    if (!this.#options.tty || pid === undefined || this.#program.hasExited()) return;
    try {
      const terminal = descriptorOf(pid, 0);
      try {
        setTerminalSize(terminal, size);
      } finally {
        closeDescriptor(terminal);
      }
    } catch (error) {
      // It has ended, or has put something else in the place of its stdin.
      if (!isErrno(error, 'ESRCH', 'EBADF', 'ENOTTY')) throw error;
    }
  }

  /** Sends it to the process in the container. Answers false when there is none (yet, or any more). */
  signal(name: NodeJS.Signals): boolean {
    const pid = this.#containerPid();
    if (pid === undefined || this.#program.hasExited()) return false;
    try {
      return process.kill(pid, name);
    } catch (error) {
      if (isErrno(error, 'ESRCH')) return false;
      throw error;
    }
  }

  /** Gives up on the runtime itself, which hangs. */
  abandon(): void {
    if (this.#program.hasExited()) this.#program.abandonOutputs();
    else process.kill(this.#program.pid, 'SIGKILL');
  }

  /** The runtime's own failures look like an exit code of the process; its log tells them apart. */
  checkStarted(exitCode: number): void {
    const { runtime, command, log } = this.#options;
    if (!runtimeFailures.has(exitCode)) return;
    const message = runtimeErrors(log);
    if (message === '') return;
    const said = `${runtime.name} ${command} failed: `;
    throw new BuildError('exec.start', message.startsWith(said) ? message : said + message, {
      details: [{ type: 'exit', exitCode }],
    });
  }

  #output(stream: 'stdout' | 'stderr', source: Readable, data: Buffer): void {
    this.#inFlight += data.length;
    if (this.#inFlight >= OUTPUT_WINDOW_BYTES) source.pause();
    this.#options.emit({ type: 'output', id: this.#options.id, stream, data });
  }

  #wantStdin(): void {
    this.#options.emit({ type: 'want-stdin', id: this.#options.id });
  }

  #watchStart(): void {
    const { pidFile, id, emit } = this.#options;
    if (pidFile === undefined) return;
    const dir = path.dirname(pidFile);
    fs.mkdirSync(dir, { recursive: true });
    const watcher = fs.watch(dir, () => {
      if (this.#containerPid() === undefined) return;
      watcher.close();
      emit({ type: 'started', id });
    });
    this.#watcher = watcher;
  }

  #containerPid(): number | undefined {
    try {
      return Number(fs.readFileSync(this.#options.pidFile ?? '', 'utf8')) || undefined;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}

const commandLine = ({ runtime, command, state, log, pidFile, args }: RuntimeCallOptions): string[] => [
  runtime.path,
  ...['--root', state, '--log', log, '--log-format', 'json', command],
  ...(pidFile === undefined ? [] : ['--pid-file', pidFile]),
  ...args,
];
