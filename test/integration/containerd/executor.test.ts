import { newerContainerd } from '../../../scripts/lib/containerd.mjs';
import { executorContract } from '../../contract/executor.js';
import { ContainerdFixture } from './fixture.js';
import { whyNot } from './private-containerd.js';

for (const [version, bin] of [
  ['1.6', undefined],
  ['1.7', newerContainerd],
] as const) {
  const title = `containerd worker on containerd ${version}`;
  const why = whyNot(bin);
  if (why === undefined) executorContract(title, () => ContainerdFixture.open(bin));
  else describe.skip(`${title}: ${why}`, () => {});
}
