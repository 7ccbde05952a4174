import { newerContainerd } from '../../../scripts/lib/containerd.mjs';
import { executorContract } from '../../contract/executor.js';
import { overWorkers } from '../support/over-workers.js';
import { ContainerdFixture } from './fixture.js';

overWorkers(
  'the executor on containerd',
  ({ name }) => {
    const bin = name === 'containerd-1.7' ? newerContainerd : undefined;
    executorContract(name, () => ContainerdFixture.open(bin));
  },
  { workers: ['containerd', 'containerd-1.7'] },
);
