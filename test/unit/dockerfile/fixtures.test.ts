import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { fixtures, loadFixtures } from './support/build-case.js';
import { summarize } from './support/summary.js';

/**
 * A folder below test/fixtures/dockerfile that has a Dockerfile is a case. To add one, write its Dockerfile (and
 * case.json), run this with UPDATE_EXPECTED=1, and read the expected.json that it makes before believing it.
 */
const update = process.env.UPDATE_EXPECTED === '1';

describe('dockerfile fixtures', () => {
  for (const { name, dockerfile, options } of loadFixtures()) {
    it(`converts ${name.replaceAll('-', ' ').replace('/', ': ')}`, async () => {
      const summary = JSON.parse(JSON.stringify(await summarize(dockerfile, options)));
      const file = path.join(fixtures, name, 'expected.json');
      if (update) fs.writeFileSync(file, `${lines(summary)}\n`);
      expect(summary).to.deep.equal(JSON.parse(fs.readFileSync(file, 'utf8')));
    });
  }
});

/** JSON with a line for each member, and for each element of the lists among them. */
function lines(summary: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(summary).map(([key, value]) => {
    if (!Array.isArray(value) || value.length === 0) return ` "${key}": ${JSON.stringify(value)}`;
    return ` "${key}": [\n${value.map((item) => `  ${JSON.stringify(item)}`).join(',\n')}\n ]`;
  });
  return `{\n${members.join(',\n')}\n}`;
}
