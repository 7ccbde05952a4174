/** Programs under test, run as people run them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

/** The bundles in dist/, which the test command makes first, or in a folder of your own (`BUILDKIT_TEST_DIST`). */
const dist = process.env.BUILDKIT_TEST_DIST ?? join(root, 'dist');
export const programs = {
  buildctl: join(dist, 'buildctl.js'),
  buildkitd: join(dist, 'buildkitd.js'),
  dockerBuild: join(dist, 'build-using-dockerfile.js'),
};

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array | string;
  readonly signal?: AbortSignal;
}

/** Runs a program to its end; a code other than 0 is an answer, not an error. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const child = start(command, args, options);
  let stdout = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A program may end without reading.
  child.stdin!.on('error', () => undefined).end(options.input);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 128));
  });
  return { code, stdout, stderr };
}

export function start(command: string, args: readonly string[], options: RunOptions = {}): ChildProcess {
  const [program, ...rest] = command.endsWith('.js')
    ? [process.execPath, command, ...args]
    : [command, ...args];
  return spawn(program!, rest, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
    ...(options.signal ? { signal: options.signal } : {}),
  });
}

/** How much of its output a failed program is quoted with, in characters. */
const LAST_WORDS = 4000;

/** Runs a program that must succeed; its output is part of the failure otherwise. */
export async function succeed(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const finished = await run(command, args, options);
  if (finished.code === 0) return finished;
  const said = `${finished.stdout}${finished.stderr}`.slice(-LAST_WORDS);
  throw new Error(`${command} ${args.join(' ')} exited with ${finished.code}\n${said}`);
}
