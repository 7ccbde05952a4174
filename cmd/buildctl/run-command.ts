/** The life of one command: signals, tracing, errors, exit status. */
import { openTracing } from '../../tracing/index.js';
import { INTERRUPTED, report } from '../shared/fail.js';
import type { Context, GlobalOptions } from './context.js';
import { openDaemon } from './open-daemon.js';
import { StartedOver } from './start-over.js';

export async function runCommand<Args extends unknown[]>(
  name: string,
  options: GlobalOptions,
  load: () => Promise<(context: Context, ...args: Args) => Promise<void>>,
  args: Args,
): Promise<void> {
  const { stdout, stderr, env } = process;
  const write = (text: string): void => void stderr.write(text);
  const interrupted = abortOnSignals();
  for (const stream of [stdout, stderr]) abortWhenClosed(stream, interrupted);
  try {
    await using tracing = await openTracing('buildctl', env);
    const run = await load();
    const parent = tracing.extract((header) => (header === 'traceparent' ? env.TRACEPARENT : undefined));
    await tracing.trace(name, { kind: 'client', parent }, async (span) => {
      const base = { options, signal: interrupted.signal, tracing, trace: span.context, stdout, stderr, env };
      const context: Context = { ...base, daemon: () => openDaemon(base) };
      await run(context, ...args);
    });
  } catch (error) {
    process.exitCode =
      error instanceof StartedOver ? error.exitCode : report(error, '', write, options.debug);
  }
}

/** The first Ctrl-C asks to stop and lets things be cleaned up; the second one ends the process. */
function abortOnSignals(): AbortController {
  const interrupted = new AbortController();
  const stop = (): void => {
    if (interrupted.signal.aborted) process.exit(INTERRUPTED);
    interrupted.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return interrupted;
}

/** A reader that went away, as in `buildctl … | head`, asks to stop as well; there is nobody to tell about it. */
function abortWhenClosed(stream: NodeJS.WriteStream, interrupted: AbortController): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    interrupted.abort();
    if (error.code === 'EPIPE') return;
    process.exitCode = 1;
    if (stream !== process.stderr) process.stderr.write(`error: standard output: ${error.message}\n`);
  });
}
