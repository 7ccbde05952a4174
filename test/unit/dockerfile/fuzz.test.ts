import { expect } from 'chai';
import { fuzz } from '../../fuzz/dockerfile/fuzz.js';

describe('dockerfile fuzzing', () => {
  it('builds or refuses 1,500 mutated Dockerfiles, soon and with a position', async function () {
    // `npm run fuzz -- dockerfile` takes 50,000.
    this.timeout(60_000);
    const { findings, built, refused } = await fuzz(1, 1501);
    expect(findings).to.deep.equal([]);
    expect(built, 'some are built').to.be.above(200);
    expect(refused, 'some are refused').to.be.above(200);
  });
});
