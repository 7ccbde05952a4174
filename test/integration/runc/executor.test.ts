import { executorContract } from '../../contract/executor.js';
import { RuncFixture, whyNot } from './fixture.js';

for (const runtime of ['crun', 'runc']) {
  const why = whyNot(runtime);
  if (why === undefined) executorContract(`runc worker with ${runtime}`, () => RuncFixture.open(runtime));
  else describe.skip(`runc worker with ${runtime}: ${why}`, () => {});
}
