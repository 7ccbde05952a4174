/**
 * Runs git as a process group of its own: an abort ends git with all the helpers it started, and waits until they are
 * gone. BuildKit: source/git/source_linux.go.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { BuildError, canceled } from '../../../core/contracts/errors.js';

export interface GitCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  readonly log: (stream: 'stdout' | 'stderr', data: Buffer) => void;
}

export interface GitOutput {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export type RunGit = (command: GitCommand, signal: AbortSignal) => Promise<GitOutput>;

/** Bytes. A remote decides how much of it there is. */
const MAX_STDOUT = 16 << 20;
const MAX_STDERR = 64 << 10;
/** Milliseconds to end by itself; git removes its locks and half-written packs then. */
const GRACE = 10_000;

/**
 * When the daemon dies, however it dies, git does: its helpers then read the end of their pipes. Where the system's
 * setpriv knows no such signal, git ends with its next write to the daemon.
 */
const script = `umask 022
setpriv --pdeathsig KILL true 2>/dev/null && exec setpriv --pdeathsig KILL git "$@"
exec git "$@"`;

export const runGit: RunGit = async ({ args, env, cwd, log }, signal) => {
  if (signal.aborted) throw canceled(signal.reason);
  const child = spawn('/bin/sh', ['-c', script, 'git', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const stdout = new Collected(MAX_STDOUT);
  const stderr = new Collected(MAX_STDERR);
  const ending = new Ending(child, signal);
  child.stdout.on('data', (data: Buffer) => {
    log('stdout', data);
    if (!stdout.add(data)) ending.end(tooMuch(args));
  });
  child.stderr.on('data', (data: Buffer) => {
    log('stderr', data);
    stderr.add(data);
  });
  const exitCode = await ending.exited;
  return { exitCode, stdout: stdout.bytes(), stderr: stderr.bytes().toString() };
};

/** How a process ends: by itself, or because somebody wants it to. */
class Ending {
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  #reason: unknown;
  #patience: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess, signal: AbortSignal) {
    this.#child = child;
    const abort = (): void => this.end(canceled(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    this.exited = this.#wait().finally(() => {
      signal.removeEventListener('abort', abort);
      clearTimeout(this.#patience);
      // Helpers that outlived git.
      if (this.#reason !== undefined) this.#kill('SIGKILL');
    });
    // It is thrown to whoever waits; an abort may come before that.
    this.exited.catch(() => {});
  }

  end(reason: unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#kill('SIGTERM');
    this.#patience = setTimeout(() => this.#kill('SIGKILL'), GRACE);
  }

  #wait(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#child.once('error', (cause) => reject(notStarted(cause)));
      this.#child.once('close', (code, signal) => {
        if (this.#reason !== undefined) reject(this.#reason);
        else resolve(code ?? (signal ? 128 : -1));
      });
    });
  }

  #kill(name: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** The first bytes of a stream. */
class Collected {
  readonly #limit: number;
  readonly #parts: Buffer[] = [];
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether it fitted. */
  add(data: Buffer): boolean {
    const rest = this.#limit - this.#size;
    if (rest > 0) this.#parts.push(data.subarray(0, rest));
    this.#size += data.length;
    return this.#size <= this.#limit;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** `sh` says so when there is no such program. */
export const NOT_FOUND = 127;

const notStarted = (cause: Error): BuildError =>
  new BuildError('git.start', `git could not be started: ${cause.message}`, {
    grpcCode: 'FailedPrecondition',
    cause,
  });

const tooMuch = (args: readonly string[]): BuildError =>
  new BuildError('git.output', `git ${args.join(' ')} answered more than ${MAX_STDOUT} bytes`, {
    grpcCode: 'ResourceExhausted',
  });
