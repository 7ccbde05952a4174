import { expect } from 'chai';
import type { Option } from 'commander';
import { daemonProgram, parseFlags } from '../../../../cmd/buildkitd/flags.js';

/** Something that an option takes. */
function sampleOf({ argChoices, flags }: Option): readonly string[] {
  const [, argument] = /[<[](.*)[>\]]/.exec(flags) ?? [];
  if (argument === undefined) return [];
  if (argChoices) return [argChoices.at(-1)!];
  if (argument === 'n' || argument === 'name|gid') return ['12'];
  if (argument === 'MB') return ['1,2,3'];
  if (argument === 'key=value') return ['a=b'];
  return ['3s'];
}

const effectOf = (argv: readonly string[]): unknown => {
  try {
    return parseFlags(argv);
  } catch (error) {
    return (error as Error).message;
  }
};

describe('every flag of buildkitd', () => {
  const options = daemonProgram().options.filter(({ long }) => long !== '--version' && long !== '--help');
  for (const option of options) {
    it(`${option.long} changes what the daemon runs with, or is refused by its name`, () => {
      const effect = effectOf([option.long!, ...sampleOf(option)]);
      if (typeof effect === 'string') expect(effect).to.include(`${option.long} is known, but not supported`);
      else expect(effect).not.to.deep.equal(effectOf([]));
    });
  }
});
