import { expect } from 'chai';
import { sample } from '../../../bench/measure.js';
import { solverScenarios } from '../../../bench/scenarios.js';
import type { Counts } from '../../../bench/world.js';

/** What each scenario of the bench takes: times depend on the machine, these do not. */
const expected: Readonly<Record<string, readonly [size: number, counts: Counts]>> = {
  'chain, cold': [300, counts(1798, 599, 300, 0, 300, 0)],
  'chain, cached': [300, counts(901, 599, 300, 0, 0, 1)],
  'fan-in, cold': [300, counts(1506, 601, 301, 0, 301, 0)],
  'fan-in, cached': [300, counts(904, 601, 301, 0, 0, 1)],
  'diamond, cold': [300, counts(1810, 902, 302, 0, 302, 0)],
  'diamond, cached': [300, counts(907, 902, 302, 0, 0, 1)],
  'wide and deep, cold': [300, counts(1755, 1101, 301, 0, 301, 0)],
  'wide and deep, cached': [300, counts(904, 1101, 301, 0, 0, 1)],
  // Only what reads the 50 new roots is digested, and only the result is loaded, however many turns that takes.
  'content hit': [3000, counts(15_152, 12_051, 3001, 150, 50, 1)],
  'content miss': [300, counts(2707, 1901, 301, 800, 301, 0)],
  'duplicates, cold': [300, counts(1495, 832, 311, 0, 32, 0)],
  'cancel storm': [300, counts(3008, 1301, 602, 0, 351, 0)],
  '50 jobs on one base': [300, counts(1706, 801, 301, 0, 301, 0)],
  // The solver is asked for nothing: what was left of the build is its last turn.
  'cache export': [300, counts(0, 0, 0, 0, 0, 0)],
};

function counts(
  turns: number,
  queries: number,
  maps: number,
  digests: number,
  runs: number,
  loads: number,
): Counts {
  return { turns, queries, maps, digests, runs, loads };
}

describe('solver: what a bench takes', () => {
  for (const scenario of solverScenarios) {
    const [size, cost] = expected[scenario.name]!;
    it(`${scenario.name}, ${size} vertices`, async () => {
      expect((await sample(scenario, size)).counts).to.deep.equal(cost);
    }).timeout(30_000);
  }

  it('grows no faster than the graph', async () => {
    for (const scenario of solverScenarios) {
      const small = (await sample(scenario, 400)).counts;
      const large = (await sample(scenario, 2000)).counts;
      expect(large.turns / Math.max(1, small.turns), scenario.name).to.be.at.most(6);
      expect(large.queries / Math.max(1, small.queries), scenario.name).to.be.at.most(6);
    }
  }).timeout(120_000);
});
