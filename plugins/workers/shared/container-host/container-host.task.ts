/**
 * The thread that owns an executor's containers: it has a mount namespace of its own and starts the runtimes from
 * it. Commands come over the port, events go out as reports. It ends on `close`, when the last container has.
 */
import { type MessagePort, threadId } from 'node:worker_threads';
import type { ThreadContext } from '../../../../core/contracts/threads.js';
import { deferred } from '../../../../core/util/deferred.js';
import { cgroupLayout, usableCgroups } from '../cgroup/cgroup-layout.js';
import { StubLayer } from '../mounts/stub-layer.js';
import { TreeMounts } from '../mounts/tree-mounts.js';
import { Container, type ContainerContext, containerGone, type HostedProcess } from './container.js';
import { ContainerFiles } from './container-files.js';
import { makeDirectories } from './directories.js';
import { FuseOverlays } from './fuse-overlays.js';
import { unreapedChildren } from './host-program.js';
import { LastWill } from './last-will.js';
import { enterPrivateNamespace, leavePrivateFolder, OuterNamespace } from './namespace.js';
import { OwnedContainers } from './owned-containers.js';
import {
  type ContainerExit,
  type ContainerRequest,
  type ExecRequest,
  type HostCommand,
  type HostEvent,
  type HostSettings,
  recordError,
} from './protocol.js';
import { specHost } from './spec-host.js';

export interface HostArgs {
  readonly settings: HostSettings;
  readonly port: MessagePort;
}

export default async function containerHost(
  { settings, port }: HostArgs,
  thread: ThreadContext,
): Promise<void> {
  const owned = new OwnedContainers(settings.stateDir, String(threadId));
  const lastWill = new LastWill(owned.file);
  const outside = enter(settings);
  const context = contextOf(settings, { owned, outside, emit: (event) => thread.report(event) });
  const containers = new Map<string, Container>();
  const processes = new Map<string, HostedProcess>();
  const finished = deferred<void>();
  let closing = false;
  const perhapsFinish = (): void => {
    if (closing && containers.size === 0) finished.resolve();
  };

  async function report(id: string, exit: () => Promise<ContainerExit>): Promise<void> {
    try {
      context.emit({ type: 'exited', id, exit: await exit() });
    } catch (error) {
      context.emit({ type: 'failed', id, error: recordError(error) });
    }
    processes.delete(id);
  }

  async function run(request: ContainerRequest): Promise<void> {
    const { id } = request;
    const container = new Container(request, context);
    containers.set(id, container);
    processes.set(id, container);
    await report(id, () => container.run());
    // Whoever waited for the step goes on first.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      await container.cleaned();
    } catch (error) {
      context.emit({ type: 'problem', id, error: recordError(error) });
    }
    containers.delete(id);
    perhapsFinish();
  }

  const exec = (request: ExecRequest): Promise<void> =>
    report(request.id, async () => {
      const container = containers.get(request.container);
      if (!container) throw containerGone(request.container);
      const process = container.exec(request);
      processes.set(request.id, process);
      return process.ended;
    });

  port.on('message', (command: HostCommand) => {
    switch (command.type) {
      case 'run':
        void run(command.request).catch(finished.reject);
        return;
      case 'exec':
        void exec(command.request).catch(finished.reject);
        return;
      case 'kill':
        processes.get(command.id)?.kill();
        return;
      case 'signal':
        processes.get(command.id)?.signal(command.name);
        return;
      case 'resize':
        processes.get(command.id)?.resize(command.size);
        return;
      case 'stdin':
        processes.get(command.id)?.write(command.data);
        return;
      case 'taken':
        processes.get(command.id)?.taken(command.bytes);
        return;
      case 'close':
        closing = true;
        for (const container of containers.values()) container.kill();
        perhapsFinish();
        return;
      default:
        command satisfies never;
    }
  });
  context.emit({
    type: 'ready',
    estate: { record: owned.file, will: lastWill.open, children: unreapedChildren },
  });
  await finished.promise;
  port.close();
  leavePrivateFolder(hostDir(settings));
  outside?.close();
  owned.close();
  await lastWill.close();
}

/** Several hosts of one process (a runtime being tried, a host that replaces a dead one) do not share a place. */
const hostDir = ({ stateDir }: HostSettings): string => `${stateDir}/run-${threadId}`;

function enter(settings: HostSettings): OuterNamespace | undefined {
  enterPrivateNamespace(hostDir(settings), settings.runtime);
  return settings.fuseOverlayfs === undefined ? undefined : new OuterNamespace();
}

interface ContextParts {
  readonly owned: OwnedContainers;
  readonly outside: OuterNamespace | undefined;
  emit(event: HostEvent): void;
}

function contextOf(settings: HostSettings, { owned, outside, emit }: ContextParts): ContainerContext {
  const cgroups = settings.rootless ? usableCgroups(cgroupLayout()) : cgroupLayout();
  const { fuseOverlayfs } = settings;
  const dir = hostDir(settings);
  const { trees, files, bundles } = makeDirectories(dir);
  const fuse = fuseOverlayfs !== undefined && outside && new FuseOverlays(fuseOverlayfs, dir, outside);
  return {
    runtime: settings.runtime,
    cgroups,
    spec: specHost(settings, cgroups, files),
    trees: new TreeMounts(trees, { locked: settings.rootless, ...(fuse ? { overlays: fuse } : {}) }),
    stubs: new StubLayer(`${settings.stateDir}/stubs`, ['/etc/hosts', '/etc/resolv.conf']),
    files: new ContainerFiles(files, settings.dns),
    owned,
    dir: bundles,
    emit,
  };
}
