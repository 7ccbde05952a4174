import { executorContract } from '../../contract/executor.js';
import { ContainerdFixture } from './fixture.js';
import { whyNot } from './private-containerd.js';

const why = whyNot();
if (why === undefined) executorContract('containerd worker', () => ContainerdFixture.open());
else describe.skip(`containerd worker: ${why}`, () => {});
