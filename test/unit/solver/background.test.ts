import { expect } from 'chai';
import { silentLogger } from '../../../core/contracts/logger.js';
import { Background } from '../../../core/solver/background.js';
import { deferred } from '../../../core/util/deferred.js';

describe('background work', () => {
  it('lets a job go that others keep adding work behind', async () => {
    const background = new Background(silentLogger);
    const [mine, theirs] = [deferred<void>(), deferred<void>()];
    background.add('write mine', mine.promise);
    const settled = background.settled();
    background.add('write theirs', theirs.promise);
    mine.resolve();
    await settled;
    expect(background.size).to.equal(1);
    theirs.resolve();
    await background.idle();
    expect(background.size).to.equal(0);
  });

  it('logs what fails, and goes on', async () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    const background = new Background(logger);
    background.add('write', Promise.reject(new Error('disk full')));
    await background.idle();
    expect(warnings).to.deep.equal(['solver: could not write']);
  });
});
