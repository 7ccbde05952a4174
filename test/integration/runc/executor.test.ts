import { executorContract } from '../../contract/executor.js';
import { overWorkers } from '../support/over-workers.js';
import { RuncFixture, whyNot } from './fixture.js';

overWorkers(
  'the executor on OCI runtimes',
  () => {
    for (const runtime of ['crun', 'runc']) {
      const why = whyNot(runtime);
      if (why === undefined) executorContract(runtime, () => RuncFixture.open(runtime));
      else it.skip(`${runtime}: ${why}`);
    }
  },
  { workers: ['oci'] },
);
