/**
 * Loaded into a daemon under test (`NODE_OPTIONS=--import=…`): SIGUSR2 ends one of its file threads, as running out of
 * memory would.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.argv[1]?.endsWith('buildkitd.js')) {
  const threads = createRequire(import.meta.url)('node:worker_threads');
  const running = new Set();
  threads.Worker = class extends threads.Worker {
    constructor(...args) {
      super(...args);
      running.add(this);
      this.once('exit', () => running.delete(this));
    }
  };
  syncBuiltinESMExports();
  process.on('SIGUSR2', () => {
    const all = [...running];
    all[Math.floor(Math.random() * all.length)]?.terminate();
  });
}
