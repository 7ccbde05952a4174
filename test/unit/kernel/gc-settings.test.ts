import { expect } from 'chai';
import type { GcRule, Worker } from '../../../core/contracts/index.js';
import { parseConfig } from '../../../core/kernel/config/load.js';
import { GcSettings } from '../../../core/kernel/gc-settings.js';
import { WorkerSet } from '../../../core/kernel/worker-set.js';

describe('garbage collection of each worker', () => {
  const workers = new WorkerSet(() => []);
  const [oci, containerd] = [{} as Worker, {} as Worker];
  workers.add(oci, 'runc');
  workers.add(containerd, 'containerd');
  const rulesOf = async (toml: string, worker: Worker): Promise<readonly GcRule[]> =>
    (await GcSettings.open(workers, '/', parseConfig(toml))).rulesOf(worker);

  const settings: readonly (readonly [
    setting: string,
    of: (rules: readonly GcRule[]) => unknown,
    is: unknown,
  ])[] = [
    ['gc = false', (rules) => rules.length, 0],
    ['gckeepstorage = 11', (rules) => rules.at(-1)?.reservedSpace, 11],
    ['reservedSpace = 12', (rules) => rules.at(-1)?.reservedSpace, 12],
    ['maxUsedSpace = 13', (rules) => rules.at(-1)?.maxUsedSpace, 13],
    ['minFreeSpace = 14', (rules) => rules.at(-1)?.minFreeSpace, 14],
    ['gcpolicy = [{ keepDuration = 15 }]', (rules) => rules.map((rule) => rule.keepDurationMs), [15_000]],
  ];
  for (const [section, worker, other] of [
    ['worker.oci', oci, containerd],
    ['worker.containerd', containerd, oci],
  ] as const) {
    for (const [setting, of, is] of settings) {
      it(`follows ${setting} of [${section}], and that of the other worker does not`, async () => {
        const toml = `[${section}]\n${setting}\n`;
        expect(of(await rulesOf(toml, worker))).to.deep.equal(is);
        expect(of(await rulesOf(toml, other))).not.to.deep.equal(is);
      });
    }
  }
});
