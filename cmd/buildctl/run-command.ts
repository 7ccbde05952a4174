/** The life of one command: signals, tracing, errors, exit status. */
import { openTracing } from '../../tracing/index.js';
import { report } from '../shared/fail.js';
import type { Context, GlobalOptions } from './context.js';
import { openDaemon } from './open-daemon.js';

export async function runCommand<Args extends unknown[]>(
  options: GlobalOptions,
  load: () => Promise<(context: Context, ...args: Args) => Promise<void>>,
  args: Args,
): Promise<void> {
  const { stdout, stderr, env } = process;
  const write = (text: string): void => void stderr.write(text);
  const interrupted = abortOnSignals();
  try {
    await using tracing = await openTracing('buildctl', env);
    const run = await load();
    await tracing.trace(`buildctl ${commandLine()}`, { kind: 'client', parent: null }, async (span) => {
      const base = { options, signal: interrupted, tracing, trace: span.context, stdout, stderr, env };
      const context: Context = { ...base, daemon: () => openDaemon(base) };
      await run(context, ...args);
    });
  } catch (error) {
    process.exitCode = report(error, '', write, options.debug);
  }
}

/** The words before the first option: values may be secret. */
function commandLine(): string {
  const words = process.argv.slice(2);
  const options = words.findIndex((word) => word.startsWith('-'));
  return (options < 0 ? words : words.slice(0, options)).slice(0, 2).join(' ');
}

/** The first Ctrl-C asks to stop and lets things be cleaned up; the second one ends the process. */
function abortOnSignals(): AbortSignal {
  const interrupted = new AbortController();
  const stop = (): void => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return interrupted.signal;
}
