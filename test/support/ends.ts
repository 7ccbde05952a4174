/**
 * A test that leaves a server, a timer or a child behind would keep the process alive for ever. Loaded by .mocharc.json
 * into every run: what is still there some time after the last test is named, and the run fails.
 */
import type { RootHookObject } from 'mocha';

/** Milliseconds for things that are closing by themselves. */
const grace = 20_000;

export const mochaHooks: RootHookObject = {
  afterAll() {
    // It keeps nothing alive itself: a process that has nothing left to do ends before.
    setTimeout(() => {
      const left = process.getActiveResourcesInfo().join(', ');
      process.stderr.write(`\nThe tests have ended, but something they opened was never closed: ${left}\n`);
      // mocha has an exit handler that sets the code by the count of failures: this one comes after it.
      process.on('exit', () => {
        process.exitCode = 1;
      });
      process.exit();
    }, grace).unref();
  },
};
