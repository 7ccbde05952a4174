/** Profiles of this process, in the formats of Chrome's developer tools. One at a time: the inspector knows but one. */
import { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { BuildError } from '../../../core/contracts/index.js';

let busy = false;

/** A `.cpuprofile`. */
export const cpuProfile = (seconds: number, signal: AbortSignal): Promise<string> =>
  withInspector(async (session) => {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await sleep(seconds * 1000, undefined, { signal });
    const { profile } = await session.post('Profiler.stop');
    return JSON.stringify(profile);
  });

/** Allocations over some time that are still alive then: a `.heapprofile`. */
export const heapProfile = (seconds: number, signal: AbortSignal): Promise<string> =>
  withInspector(async (session) => {
    await session.post('HeapProfiler.enable');
    await session.post('HeapProfiler.startSampling');
    await sleep(seconds * 1000, undefined, { signal });
    const { profile } = await session.post('HeapProfiler.stopSampling');
    return JSON.stringify(profile);
  });

async function withInspector<T>(work: (session: Session) => Promise<T>): Promise<T> {
  if (busy) {
    throw new BuildError('buildkitd.profile-busy', 'another profile is being taken', {
      grpcCode: 'FailedPrecondition',
    });
  }
  busy = true;
  const session = new Session();
  session.connect();
  try {
    return await work(session);
  } finally {
    session.disconnect();
    busy = false;
  }
}
