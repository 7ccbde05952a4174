import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { configEffects } from '../../support/config-effects.js';
import { configKeys } from '../../support/config-schema.js';

const tests = join(import.meta.dirname, '../..');

describe('what each key of buildkitd.toml does', () => {
  it('is tested for all of them, and for none that there is not', () => {
    expect(Object.keys(configEffects).sort()).to.deep.equal(
      configKeys.map(([path]) => path.join('.')).sort(),
    );
  });

  for (const [file, title] of new Map(
    Object.values(configEffects).map((effect) => [effect.join(), effect]),
  ).values()) {
    it(`is tested in ${file} by "${title}"`, () => {
      // Of the source: titles may have quotes that are escaped there.
      expect(readFileSync(join(tests, file), 'utf8').replaceAll("\\'", "'")).to.include(title);
    });
  }
});
