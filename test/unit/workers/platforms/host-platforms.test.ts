import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { formatPlatform } from '../../../../core/util/platform.js';
import { amd64Variants } from '../../../../plugins/workers/shared/platforms/amd64-level.js';
import { parseBinfmt } from '../../../../plugins/workers/shared/platforms/binfmt.js';
import { HostPlatforms, platformsFrom } from '../../../../plugins/workers/shared/platforms/host-platforms.js';

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

describe('the platforms of this machine', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'platforms-'));
  });
  after(() => rm(dir, { recursive: true }));

  /** How often emulators were looked for by the end of each of these moments, in milliseconds. */
  async function looks(maxAgeMs: number, moments: readonly number[]): Promise<readonly number[]> {
    const platforms = await HostPlatforms.detect(dir, maxAgeMs);
    let looked = 0;
    return moments.map((now) => {
      platforms.list(now, () => {
        looked++;
        return [];
      });
      return looked;
    });
  }

  it('are looked for again when they are older than system.platformsCacheMaxAge', async () => {
    expect(await looks(1000, [5, 1004, 1005, 1006])).to.deep.equal([1, 1, 2, 2]);
    expect(await looks(0, [5, 5])).to.deep.equal([1, 2]);
  });

  it('are looked for once where it is negative', async () => {
    expect(await looks(-1, [5, 1e9])).to.deep.equal([1, 1]);
  });
});
