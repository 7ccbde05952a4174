#!/usr/bin/env node
/** buildkitd. Flags are parsed before anything heavy is loaded, so that `--help` answers at once. */
import { report } from '../shared/fail.js';
import { parseFlags } from './flags.js';

try {
  const flags = parseFlags(process.argv.slice(2));
  const { runDaemon, showConfig } = await import('./run-daemon.js');
  if (flags.command === 'run') await runDaemon(flags);
  else process.stdout.write(await showConfig(flags));
} catch (error) {
  process.exitCode = report(error, 'buildkitd: ', (text) => process.stderr.write(text));
}
