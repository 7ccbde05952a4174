/** Builds over registries in trouble; `npm run faults` makes more of them. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runFaults } from '../../faults/fault-run.js';
import { FaultWorld } from '../../faults/fault-world.js';
import { hasDockerRegistry } from '../../support/docker-registry.js';

const runs = 25;
const first = Number(process.env.FAULT_SEED ?? 1);

describe('a build over a registry in trouble', function () {
  this.timeout(200_000);
  let world: FaultWorld;
  before(async function () {
    if (!hasDockerRegistry() || process.getuid?.() !== 0) this.skip();
    world = await FaultWorld.open(await mkdtemp(join(tmpdir(), 'buildkit-faults-')));
  });
  after(() => world?.[Symbol.asyncDispose]());

  for (let seed = first; seed < first + runs; seed++) {
    it(`succeeds or says why, and spoils nothing (seed ${seed})`, async () => {
      const { plans, problems } = await runFaults(world, seed);
      expect(problems, plans.join('\n')).to.deep.equal([]);
    });
  }
});
