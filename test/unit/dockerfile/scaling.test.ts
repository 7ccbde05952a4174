import { expect } from 'chai';
import { DockerfileFrontend } from '../../../plugins/frontends/dockerfile/frontend.js';
import { FakeGateway } from './support/fake-gateway.js';

/** Milliseconds that this process ran for, the least of a few. */
async function cost(lines: readonly string[]): Promise<number> {
  const Dockerfile = ['FROM base', ...lines, 'RUN make'].join('\n');
  const times: number[] = [];
  for (let run = 0; run < 3; run++) {
    const before = process.cpuUsage();
    await new DockerfileFrontend().solve(
      new FakeGateway({ dockerfile: { Dockerfile } }),
      { opts: {}, inputs: new Map() },
      new AbortController().signal,
    );
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return Math.min(...times);
}

describe('a long Dockerfile', () => {
  const instructions: Readonly<Record<string, (index: number) => string>> = {
    ENV: (index) => `ENV NAME_${index}=value`,
    ARG: (index) => `ARG NAME_${index}=value`,
    LABEL: (index) => `LABEL name.${index}=value`,
  };
  for (const [name, line] of Object.entries(instructions)) {
    it(`takes no more time for each ${name} than a short one`, async function () {
      this.timeout(20_000);
      const lines = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => line(i));
      await cost(lines(500));
      const [few, many] = [await cost(lines(500)), await cost(lines(8000))];
      // Sixteen times as many lines; the square of that is 256.
      expect(many / few).to.be.lessThan(64);
    });
  }
});
