/**
 * The embedded engine for an ordinary user: the same command once more, as root in a user namespace. This process stays
 * to pass on what is asked of it, and takes over the exit status.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { findLauncher } from '../shared/rootless/launcher.js';

/** Thrown in the place of an engine: the command has been carried out by another process. */
export class StartedOver extends Error {
  override readonly name = 'StartedOver';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`another process has run this command, and ended with ${exitCode}`);
    this.exitCode = exitCode;
  }
}

export async function startOver(): Promise<StartedOver> {
  const [program, ...args] = await findLauncher();
  const own = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(program, [...args, ...own], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both of them, and the second one within a command ends it at once.
  const passedOn: readonly NodeJS.Signals[] = process.stdin.isTTY ? ['SIGTERM'] : ['SIGTERM', 'SIGINT'];
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const name of passedOn) process.on(name, pass);
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  for (const name of passedOn) process.off(name, pass);
  return new StartedOver(code ?? 128 + os.constants.signals[signal!]);
}
