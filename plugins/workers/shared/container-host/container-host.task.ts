/**
 * The thread that owns an executor's containers: it has a mount namespace of its own and starts the runtimes from
 * it. Commands come over the port, events go out as reports. It ends on `close`, when the last container has.
 */
import { type MessagePort, threadId } from 'node:worker_threads';
import type { ThreadContext } from '../../../../core/contracts/threads.js';
import { deferred } from '../../../../core/util/deferred.js';
import { cgroupLayout } from '../cgroup/cgroup-layout.js';
import { StubLayer } from '../mounts/stub-layer.js';
import { TreeMounts } from '../mounts/tree-mounts.js';
import { Container, type ContainerContext } from './container.js';
import { ContainerFiles } from './container-files.js';
import { makeDirectories } from './directories.js';
import { enterPrivateNamespace, leavePrivateFolder } from './namespace.js';
import { OwnedContainers } from './owned-containers.js';
import { type HostCommand, type HostEvent, type HostSettings, recordError } from './protocol.js';
import { specHost } from './spec-host.js';

export interface HostArgs {
  readonly settings: HostSettings;
  readonly port: MessagePort;
}

export default async function containerHost(
  { settings, port }: HostArgs,
  thread: ThreadContext,
): Promise<void> {
  const context = contextOf(settings, (event) => thread.report(event));
  const running = new Map<string, Container>();
  const finished = deferred<void>();
  let closing = false;
  const perhapsFinish = (): void => {
    if (closing && running.size === 0) finished.resolve();
  };

  async function run(container: Container, id: string): Promise<void> {
    try {
      context.emit({ type: 'exited', id, exit: await container.run() });
    } catch (error) {
      context.emit({ type: 'failed', id, error: recordError(error) });
    }
    // Whoever waited for the step goes on first.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      await container.cleaned();
    } catch (error) {
      context.emit({ type: 'problem', id, error: recordError(error) });
    }
    running.delete(id);
    perhapsFinish();
  }

  port.on('message', (command: HostCommand) => {
    switch (command.type) {
      case 'run': {
        const { id } = command.request;
        const container = new Container(command.request, context);
        running.set(id, container);
        void run(container, id).catch(finished.reject);
        return;
      }
      case 'kill':
        running.get(command.id)?.kill();
        return;
      case 'stdin':
        running.get(command.id)?.write(command.data);
        return;
      case 'taken':
        running.get(command.id)?.taken(command.bytes);
        return;
      case 'close':
        closing = true;
        for (const container of running.values()) container.kill();
        perhapsFinish();
        return;
      default:
        command satisfies never;
    }
  });
  context.emit({ type: 'ready' });
  await finished.promise;
  port.close();
  leavePrivateFolder(hostDir(settings));
  context.owned.close();
}

/** Several hosts of one process (a runtime being tried, a host that replaces a dead one) do not share a place. */
const hostDir = ({ stateDir }: HostSettings): string => `${stateDir}/run-${threadId}`;

function contextOf(settings: HostSettings, emit: (event: HostEvent) => void): ContainerContext {
  const cgroups = cgroupLayout();
  const owned = new OwnedContainers(settings.stateDir, String(threadId));
  const dir = hostDir(settings);
  enterPrivateNamespace(dir, settings.runtime);
  const { trees, files, bundles } = makeDirectories(dir);
  return {
    runtime: settings.runtime,
    cgroups,
    spec: specHost(settings, cgroups),
    trees: new TreeMounts(trees),
    stubs: new StubLayer(`${settings.stateDir}/stubs`, ['/etc/hosts', '/etc/resolv.conf']),
    files: new ContainerFiles(files, settings.dns),
    owned,
    dir: bundles,
    emit,
  };
}
