import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { fixtures, loadFixtures } from './support/build-case.js';
import { summarize } from './support/summary.js';

/**
 * A folder of test/fixtures/dockerfile is a case. To add one, write its Dockerfile (and case.json), run this with
 * UPDATE_EXPECTED=1, and read the expected.json that it makes before believing it.
 */
const update = process.env.UPDATE_EXPECTED === '1';

describe('dockerfile fixtures', () => {
  for (const { name, dockerfile, options } of loadFixtures()) {
    it(`converts ${name.replaceAll('-', ' ')}`, async () => {
      const summary = JSON.parse(JSON.stringify(await summarize(dockerfile, options)));
      const file = path.join(fixtures, name, 'expected.json');
      if (update) fs.writeFileSync(file, `${JSON.stringify(summary, undefined, 1)}\n`);
      expect(summary).to.deep.equal(JSON.parse(fs.readFileSync(file, 'utf8')));
    });
  }
});
