/** A process that runs one endless step and says so: `crashing-daemon.ts <runtime> <folder> <word>`. */
import { silentProgress } from '../../../core/contracts/progress.js';
import { ThreadPool } from '../../../core/threads/thread-pool.js';
import { newId } from '../../../core/util/identity.js';
import { makeWorker } from './fixture.js';

const [binary = 'runc', dir = '', word = ''] = process.argv.slice(2);
const worker = makeWorker(dir, binary, new ThreadPool());
const signal = new AbortController().signal;

async function main(): Promise<void> {
  await worker.start(signal);
  await worker.executor.run(
    {
      id: newId(),
      process: {
        args: ['/bin/sh', '-c', `echo up; while :; do sleep 1000; done; : ${word}`],
        env: ['PATH=/usr/bin:/bin'],
        cwd: '/',
        user: '',
        hostname: '',
        network: 'sandbox',
        security: 'sandbox',
        extraHosts: [],
        ulimits: [],
        cgroupParent: '',
        resources: {},
        removeMountStubsRecursive: false,
      },
      root: {
        tree: { mounts: () => Promise.resolve([{ type: 'bind', source: '/', options: ['ro', 'rbind'] }]) },
        readonly: true,
      },
      mounts: [],
      progress: silentProgress,
    },
    { stdout: (data) => void process.stdout.write(data), stderr: (data) => void process.stderr.write(data) },
    signal,
  );
}

void main();
