#!/usr/bin/env node
/** buildkitd. Flags are parsed before anything heavy is loaded, so that `--help` answers at once. */
import { report } from '../shared/fail.js';
import { parseFlags } from './flags.js';

try {
  const flags = parseFlags(process.argv.slice(2));
  const { runDaemon } = await import('./run-daemon.js');
  await runDaemon(flags);
} catch (error) {
  process.exitCode = report(error, 'buildkitd: ', (text) => process.stderr.write(text));
}
