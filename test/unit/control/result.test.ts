import { expect } from 'chai';
import { solveResult } from '../../../core/control/result.js';

describe('the result of a build', () => {
  it('has one tree, or one for each platform by its name', async () => {
    const platforms = {
      Platforms: [{ ID: 'linux/arm64', Platform: { os: 'linux', architecture: 'arm64' } }],
    };
    const metadata = new Map([['refs.platforms', Buffer.from(JSON.stringify(platforms))]]);
    const many = await solveResult(
      { refs: new Map([['linux/arm64', undefined]]), metadata },
      async () => undefined,
    );
    expect(many.multiPlatform).to.equal(true);
    expect(many.platforms[0]).to.deep.include({
      id: 'linux/arm64',
      platform: { os: 'linux', architecture: 'arm64' },
    });
    expect((await solveResult({ metadata: new Map() }, async () => undefined)).multiPlatform).to.equal(false);
  });
});
