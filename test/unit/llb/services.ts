/** Services with fakes, and op contexts. */

import type { Devices } from '../../../core/contracts/devices.js';
import { silentLogger } from '../../../core/contracts/logger.js';
import { type Progress, silentProgress } from '../../../core/contracts/progress.js';
import type { ClientAgents, Session } from '../../../core/contracts/session.js';
import type { Source } from '../../../core/contracts/source.js';
import type { Contributions } from '../../../core/contracts/token.js';
import { silentTracing } from '../../../core/contracts/tracing.js';
import { noDevices } from '../../../core/devices/no-devices.js';
import { CacheMounts } from '../../../core/llb/ops/cache-mounts.js';
import type { LlbServices } from '../../../core/llb/services.js';
import type { OpContext } from '../../../core/solver/op.js';
import { SocketFolder } from '../../../core/util/socket-folder.js';
import { fakeSession, fakeSessions } from '../../support/fake-session.js';
import { FakeWorker, fakeWorkers } from '../../support/fake-worker.js';

export const contributions = <T>(values: Readonly<Record<string, T>>): Contributions<T> => ({
  ids: () => Object.keys(values).sort(),
  get: (id) => values[id],
});

export interface FakeServices extends LlbServices {
  readonly worker: FakeWorker;
}

export function fakeServices(
  parts: {
    readonly sources?: Readonly<Record<string, Source>>;
    readonly secrets?: Readonly<Record<string, string>>;
    readonly agents?: Partial<ClientAgents>;
    readonly sockets?: SocketFolder;
    readonly devices?: Devices;
    readonly workers?: readonly [FakeWorker, ...FakeWorker[]];
  } = {},
): FakeServices {
  const list = parts.workers ?? [new FakeWorker()];
  const session: Session = {
    ...fakeSession(parts.agents ? { agents: parts.agents } : {}),
    secrets: {
      get: async (id) => {
        const value = parts.secrets?.[id];
        return value === undefined ? undefined : Buffer.from(value);
      },
    },
  };
  return {
    worker: list[0],
    workers: fakeWorkers(...list),
    sources: contributions(parts.sources ?? {}),
    sessions: fakeSessions(session),
    tracing: silentTracing,
    logger: silentLogger,
    cacheMounts: new CacheMounts(),
    sockets: parts.sockets ?? new SocketFolder('/nowhere'),
    devices: parts.devices ?? noDevices,
    logLimits: { maxSize: -1, maxSpeed: -1 },
  };
}

export const loadNested = (): never => {
  throw new Error('this op builds nothing');
};

export const opContext = (
  signal: AbortSignal = new AbortController().signal,
  progress: Progress = silentProgress,
): OpContext & { readonly kept: AsyncDisposable[] } => {
  const kept: AsyncDisposable[] = [];
  return {
    signal,
    progress,
    sessions: { ids: () => ['session1'] },
    build: async () => undefined,
    keep: (held) => kept.push(held),
    kept,
  };
};
