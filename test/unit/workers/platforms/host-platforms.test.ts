import { expect } from 'chai';
import { formatPlatform } from '../../../../core/util/platform.js';
import { amd64Variants } from '../../../../plugins/workers/shared/platforms/amd64-level.js';
import { parseBinfmt } from '../../../../plugins/workers/shared/platforms/binfmt.js';
import { platformsFrom } from '../../../../plugins/workers/shared/platforms/host-platforms.js';

const v2 = 'cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3';
const v3 = `${v2} avx avx2 bmi1 bmi2 f16c fma abm movbe`;
const cpuinfo = (flags: string): string => `processor\t: 0\nflags\t\t: fpu ${flags}\nbugs\t\t:\n`;

/** As tonistiigi/binfmt registers them. */
const qemu = (machine: string, flags = 'POCF', state = 'enabled'): string =>
  [
    state,
    'interpreter /usr/bin/qemu',
    `flags: ${flags}`,
    'offset 0',
    `magic 7f454c4602010100000000000000000002${machine}`,
    'mask ffffffffffffff00fffffffffffffffffeffffff',
    '',
  ].join('\n');
const entries = (...texts: readonly string[]): NonNullable<ReturnType<typeof parseBinfmt>>[] =>
  texts.flatMap((text) => parseBinfmt(text) ?? []);

const platforms = (facts: Partial<Parameters<typeof platformsFrom>[0]>): string[] =>
  platformsFrom({
    native: { os: 'linux', architecture: 'amd64' },
    cpuinfo: cpuinfo(''),
    compat: undefined,
    binfmt: [],
    ...facts,
  }).map(formatPlatform);

describe('amd64Variants', () => {
  it('counts up to the first level that is not whole', () => {
    expect(amd64Variants(cpuinfo(''))).to.deep.equal([]);
    expect(amd64Variants(cpuinfo(v2))).to.deep.equal(['v2']);
    expect(amd64Variants(cpuinfo(v3))).to.deep.equal(['v2', 'v3']);
    expect(amd64Variants(cpuinfo(`${v2} avx512f avx512bw avx512cd avx512dq avx512vl`))).to.deep.equal(['v2']);
  });
});

describe('platformsFrom', () => {
  it('lists the native one with its variants, then its 32 bit mode', () => {
    expect(platforms({ cpuinfo: cpuinfo(v3), compat: '386' })).to.deep.equal([
      'linux/amd64',
      'linux/amd64/v2',
      'linux/amd64/v3',
      'linux/386',
    ]);
  });

  it('adds what an emulator takes inside containers', () => {
    expect(platforms({ binfmt: entries(qemu('00b700'), qemu('00f300')) })).to.deep.equal([
      'linux/amd64',
      'linux/arm64',
      'linux/riscv64',
    ]);
  });

  it('leaves out emulators that are off, or not to be found in a container', () => {
    expect(
      platforms({ binfmt: entries(qemu('00b700', 'OC'), qemu('00f300', 'F', 'disabled')) }),
    ).to.deep.equal(['linux/amd64']);
  });

  it('lists two levels of arm', () => {
    const native = { os: 'linux', architecture: 'arm64' };
    expect(platforms({ native, compat: 'arm' })).to.deep.equal([
      'linux/arm64',
      'linux/arm/v7',
      'linux/arm/v6',
    ]);
  });

  it('skips entries that go by file name', () => {
    expect(entries('enabled\ninterpreter /usr/bin/x\nflags:\nextension .py\n')).to.deep.equal([]);
  });
});
