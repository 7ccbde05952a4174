/** mocha's spec reporter, which also leaves its counts, in all and by worker, in the file that MOCHA_COUNTS names. */
const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    /** Suites named `worker=<name>` hold what is run over several workers. */
    const workers = {};
    const count = (kind) => (test) => {
      const [, name] = /^worker=(.+)$/.exec(test.titlePath()[0] ?? '') ?? [];
      if (name === undefined) return;
      workers[name] ??= { passed: 0, failed: 0, skipped: 0, reasons: [] };
      workers[name][kind]++;
      if (kind === 'skipped') workers[name].reasons.push(test.title);
    };
    runner.on('pass', count('passed')).on('fail', count('failed')).on('pending', count('skipped'));
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(
        process.env.MOCHA_COUNTS,
        JSON.stringify({ passed: passes, failed: failures, skipped: pending, workers }),
      );
    });
  }
};
