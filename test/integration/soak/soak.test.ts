/** A minute of `npm run soak`: what half an hour of it finds, it may find as well. `SOAK_SEED` looks elsewhere. */
import { expect } from 'chai';
import { table } from '../../soak/report.js';
import { soak } from '../../soak/soak.js';
import { figure } from '../support/figures.js';

const SEED = Number(process.env.SOAK_SEED ?? 1);

describe(`a daemon under random builds and troubles (SOAK_SEED=${SEED})`, function () {
  this.timeout(600_000);

  it('builds what it should, and holds nothing when nobody builds', async () => {
    const options = { minutes: 1, clients: 4, seed: SEED, cap: 200e6, every: 15 };
    const report = await soak(options, () => {});
    figure('builds', JSON.stringify(report.builds));
    figure('troubles', JSON.stringify(report.troubles));
    process.stdout.write(`${table(report.samples)}\n`);
    expect(report.complaints).to.deep.equal([]);
    expect(report.builds.built, 'builds that succeeded').to.be.above(5);
    expect(report.samples.length).to.be.at.least(2);
  });
});
