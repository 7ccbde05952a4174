import { expect } from 'chai';
import type { GcRule } from '../../../core/contracts/index.js';
import { parseConfig } from '../../../core/kernel/config/load.js';
import { gcRules } from '../../../core/kernel/gc-rules.js';

/** Of a disk that a real BuildKit v0.26 made these rules for. */
const DISK = 270_553_174_016;

const rulesOf = (toml: string, disk = DISK): readonly GcRule[] =>
  gcRules(parseConfig(`[worker.oci]\n${toml}`).settings.worker.oci!, disk);

const cap = ({ reservedSpace, maxUsedSpace, minFreeSpace }: GcRule): readonly number[] => [
  reservedSpace,
  maxUsedSpace,
  minFreeSpace,
];

describe('rules of garbage collection', () => {
  it('are by default those of BuildKit', () => {
    const [reserved, free, max] = [10e9, 51e9, 100e9];
    const capped = { reservedSpace: reserved, minFreeSpace: free, maxUsedSpace: max };
    expect(rulesOf('')).to.deep.equal([
      {
        filter: ['type==source.local,type==exec.cachemount,type==source.git.checkout'],
        all: false,
        keepDurationMs: 172_800_000,
        reservedSpace: 0,
        maxUsedSpace: 512_000_000,
        minFreeSpace: 0,
      },
      { filter: [], all: false, keepDurationMs: 5_184_000_000, ...capped },
      { filter: [], all: false, keepDurationMs: 0, ...capped },
      { filter: [], all: true, keepDurationMs: 0, ...capped },
    ]);
  });

  it('keep less of a small disk, and something where its size is not known', () => {
    expect(cap(rulesOf('', 50e9)[2]!)).to.deep.equal([5e9, 38e9, 10e9]);
    expect(cap(rulesOf('', 0)[2]!)).to.deep.equal([2e9, 2e9, 2e9]);
  });

  it('are none when it is off', () => {
    expect(rulesOf('gc = false')).to.deep.equal([]);
  });

  const limits: readonly (readonly [toml: string, reserved: number, max: number, free: number])[] = [
    ['gckeepstorage = 9000', 9000, 0, 0],
    ['gckeepstorage = "2GB"', 2 * 2 ** 30, 0, 0],
    ['reservedSpace = "1.5kb"', 1536, 0, 0],
    ['maxUsedSpace = "10%"', 0, 26e9, 0],
    ['minFreeSpace = "20%"\ngckeepstorage = 1', 0, 0, 51e9],
    ['reservedSpace = "1 MiB"\nmaxUsedSpace = "3g"', 2 ** 20, 3 * 2 ** 30, 0],
    ['reservedSpace = 0\ngckeepstorage = "7"', 7, 0, 0],
  ];
  for (const [toml, reserved, max, free] of limits) {
    it(`take their limits from ${toml.replace('\n', ' and ')}`, () => {
      expect(cap(rulesOf(toml)[3]!)).to.deep.equal([reserved, max, free]);
    });
  }

  it('are replaced by rules of the configuration', () => {
    const rules = rulesOf(`
      reservedSpace = 5
      [[worker.oci.gcpolicy]]
      filters = ["type==source.local", "type==exec.cachemount"]
      keepDuration = "48h"
      keepBytes = "512MB"
      [[worker.oci.gcpolicy]]
      all = true
      keepDuration = 60
      keepBytes = 3
      reservedSpace = 4
      maxUsedSpace = "1%"
      minFreeSpace = "2%"
    `);
    expect(rules).to.deep.equal([
      {
        filter: ['type==source.local', 'type==exec.cachemount'],
        all: false,
        keepDurationMs: 172_800_000,
        reservedSpace: 512 * 2 ** 20,
        maxUsedSpace: 0,
        minFreeSpace: 0,
      },
      {
        filter: [],
        all: true,
        keepDurationMs: 60_000,
        reservedSpace: 4,
        maxUsedSpace: 3e9,
        minFreeSpace: 6e9,
      },
    ]);
  });
});
