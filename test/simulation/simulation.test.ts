import { expect } from 'chai';
import { range, runBatch } from './batch.js';
import { generate } from './generate.js';
import { plants } from './plants.js';
import { readReplay, replayNames } from './replays.js';
import { simulate } from './simulate.js';

const seeds = 500;

describe('solver simulation', () => {
  it(`of ${seeds} scenarios breaks no invariant`, async () => {
    const { counts, failures } = await runBatch(range(1, seeds + 1));
    expect(failures).to.deep.equal([]);
    expect(counts.cancelled).to.be.above(100);
    expect(counts.follows).to.be.above(100);
  }).timeout(120_000);

  it('is the same for the same seed', async () => {
    const timeline = async (): Promise<readonly string[]> => {
      const steps: string[] = [];
      await simulate(generate(7), { onStep: (_, what) => steps.push(what) });
      return steps;
    };
    expect(await timeline()).to.deep.equal(await timeline());
  });

  for (const { name, plan } of plants) {
    it(`notices wrong rules: ${name}`, async () => {
      const { failures } = await runBatch(range(1, 2000), { plan, onlyFirst: true });
      expect(failures).to.have.length(1);
    }).timeout(120_000);
  }

  for (const name of replayNames()) {
    it(`of ${name} breaks no invariant any more`, async () => {
      const { scenario, plant, violation } = readReplay(name);
      expect((await simulate(scenario)).violation?.message).to.equal(undefined);
      const planted = plants.find((candidate) => candidate.name === plant);
      if (planted) expect((await simulate(scenario, planted)).violation?.message).to.equal(violation);
    });
  }
});
