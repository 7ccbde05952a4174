import { expect } from 'chai';
import { type LogFields, type Logger, silentLogger } from '../../../core/contracts/index.js';
import { Watchdog } from '../../../core/kernel/watchdog.js';
import { deferred } from '../../../core/util/deferred.js';

const THRESHOLD_MS = 80;
/** A thread has to start before it can watch. */
const ATTEMPT_MS = 400;

function occupyTheMainThread(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('watchdog of the main thread', () => {
  it('tells how long it was blocked, and in which function', async function () {
    this.timeout(20_000);
    const told = deferred<LogFields>();
    const logger: Logger = {
      ...silentLogger,
      warn: (message, fields = {}) => {
        // The runner itself may have been slow before.
        if (String(fields.stack).startsWith('occupyTheMainThread')) told.resolve({ message, ...fields });
      },
    };
    await using _watchdog = new Watchdog(THRESHOLD_MS, logger);
    const blocking = setInterval(() => occupyTheMainThread(ATTEMPT_MS), ATTEMPT_MS / 2);
    const { message, milliseconds, stack } = await told.promise.finally(() => clearInterval(blocking));
    expect(message).to.equal('the main thread was blocked');
    expect(milliseconds).to.be.at.least(THRESHOLD_MS);
    expect(stack).to.match(/^occupyTheMainThread .*watchdog\.test\.ts:\d+ < /);
  });
});
