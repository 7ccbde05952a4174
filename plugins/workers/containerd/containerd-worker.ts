/** Everything of this worker that is made when the daemon starts, and goes when it stops. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Logger } from '../../../core/contracts/logger.js';
import { SkipPlugin, type Startable } from '../../../core/contracts/plugin.js';
import type { Threads } from '../../../core/contracts/threads.js';
import type { WorkerProfile } from '../../../core/contracts/worker.js';
import { DisposeStack } from '../../../core/util/dispose.js';
import { type Platform, parsePlatform } from '../../../core/util/platform.js';
import { Containers } from '../../../proto/containerd.js';
import { checkAppArmor } from '../shared/apparmor.js';
import { HostedExecutor } from '../shared/container-host/hosted-executor.js';
import { type OpenedNetwork, openNetwork } from '../shared/network/open-network.js';
import { HostPlatforms } from '../shared/platforms/host-platforms.js';
import { persistentId } from '../shared/worker-id.js';
import { ContainerdDepot } from './blob-depot.js';
import { BundleHost } from './bundle-host.js';
import type { ContainerdConfig } from './config.js';
import { Containerd, explained, unless } from './containerd-client.js';
import { ContainerdSnapshotter, WORKER_LABEL } from './containerd-snapshotter.js';
import { GarbageRuns } from './garbage-runs.js';
import { unmountBelow } from './leftover-mounts.js';
import { openServer, type ServerFacts } from './open-server.js';
import { runtimeChoice } from './runtime-choice.js';
import { removeTask, TaskHost } from './task-host.js';

const LABEL = 'org.mobyproject.buildkit.worker.';

export interface ContainerdWorkerParts {
  /** This worker's folder. */
  readonly dir: string;
  readonly config: ContainerdConfig;
  readonly threads: Threads;
  readonly logger: Logger;
}

/** What there is once it has started. */
interface Opened {
  readonly id: string;
  readonly server: ServerFacts;
  readonly network: OpenedNetwork;
  readonly platforms: HostPlatforms;
  readonly host: TaskHost;
}

export class ContainerdWorker implements Startable, AsyncDisposable {
  readonly executor: HostedExecutor;
  readonly profile: WorkerProfile;
  readonly depot: ContainerdDepot;
  readonly snapshotter: ContainerdSnapshotter;
  readonly containerd: Containerd;
  readonly #parts: ContainerdWorkerParts;
  readonly #owned = new DisposeStack();
  readonly #garbage: GarbageRuns;
  #id = '';
  #opened: Opened | undefined;

  constructor(parts: ContainerdWorkerParts) {
    this.#parts = parts;
    const { config } = parts;
    this.containerd = new Containerd({ socket: socketPath(config.address), namespace: config.namespace });
    this.#garbage = new GarbageRuns(this.containerd, parts.logger);
    const garbage = this.#garbage;
    this.depot = new ContainerdDepot({ containerd: this.containerd, garbage });
    this.snapshotter = new ContainerdSnapshotter({
      containerd: this.containerd,
      garbage,
      name: config.snapshotter,
      workerId: () => this.#id,
    });
    this.executor = new HostedExecutor({
      host: async () => this.#running.host,
      machine: () => this.#running.platforms.list(),
      sandboxNetwork: () => this.#running.network,
      defaultCgroupParent: config.defaultCgroupParent,
      maxParallelism: config.maxParallelism,
    });
    this.profile = profileOf(() => this.#running, config);
  }

  get #running(): Opened {
    if (!this.#opened) throw new Error('the containerd worker has not been started');
    return this.#opened;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { dir, config, threads, logger } = this.#parts;
    if (process.platform !== 'linux') throw new SkipPlugin('the containerd worker runs on Linux only');
    if (process.getuid?.() !== 0) throw new SkipPlugin('needs root; start the daemon as root');
    const runtime = runtimeChoice(config.runtime);
    // One set of state for each snapshotter, as BuildKit has it: records of one mean nothing to the other.
    const home = path.join(dir, config.snapshotter);
    const stateDir = path.join(home, 'executor');
    await fs.mkdir(home, { recursive: true, mode: 0o700 });
    const id = await persistentId(home);
    this.#id = id;
    const containerd = await this.#owned.use(this.containerd);
    await this.#owned.defer(() => this.#garbage.idle());
    containerd.holdWith(`buildkit-ts/${id}`);
    const server = await openServer(containerd, config, id, signal);
    await checkAppArmor(config.apparmorProfile);
    await fs.mkdir(stateDir, { recursive: true, mode: 0o700 });
    await sweep(containerd, id, stateDir, logger);
    await this.depot.open(server.contentRoot);
    // Owned before what uses it, and so given up after that.
    const network = await this.#owned.use(await openNetwork(config, { dir: stateDir, threads, logger }));
    const settings = {
      stateDir,
      dns: config.dns,
      apparmorProfile: config.apparmorProfile || undefined,
      rootless: false,
      fuseOverlayfs: undefined,
      processSandbox: true,
    };
    const bundles = await this.#owned.use(await BundleHost.open(settings, threads));
    this.#opened = {
      id,
      server,
      network,
      platforms: await HostPlatforms.detect(stateDir, config.platformsMaxAgeMs),
      host: new TaskHost({
        containerd,
        bundles,
        logger,
        workerId: id,
        runtime,
        dir: path.join(stateDir, 'streams'),
      }),
    };
    logger.info(`steps are run with containerd ${server.version} at ${config.address}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned[Symbol.asyncDispose]();
  }
}

const profileOf = (opened: () => Opened, config: ContainerdConfig): WorkerProfile => ({
  // Built when it is asked for: bound before the worker starts, complete when it has.
  get id() {
    return opened().id;
  },
  get labels() {
    return labels(config, opened());
  },
  get platforms(): readonly Platform[] {
    const { platforms } = config;
    return platforms.length > 0 ? platforms.map(parsePlatform) : opened().platforms.list();
  },
  maxParallelism: config.maxParallelism,
  rank: 1,
});

/** BuildKit: worker/label/label.go. */
const labels = (config: ContainerdConfig, { server, network }: Opened): WorkerProfile['labels'] => ({
  [`${LABEL}executor`]: 'containerd',
  [`${LABEL}snapshotter`]: config.snapshotter,
  [`${LABEL}hostname`]: os.hostname(),
  [`${LABEL}network`]: network.mode,
  [`${LABEL}selinux.enabled`]: 'false',
  ...(config.apparmorProfile ? { [`${LABEL}apparmor.profile`]: config.apparmorProfile } : {}),
  [`${LABEL}containerd.namespace`]: config.namespace,
  [`${LABEL}containerd.uuid`]: server.uuid,
  ...config.labels,
});

const socketPath = (address: string): string => address.replace(/^unix:\/\//, '');

/** Containers and mounts that a daemon on this folder left when it was killed. */
async function sweep(containerd: Containerd, id: string, stateDir: string, logger: Logger): Promise<void> {
  try {
    const filters = [`labels."${WORKER_LABEL}"==${id}`];
    const { containers } = await containerd.call(Containers.List, { filters });
    for (const container of containers) {
      await removeTask(containerd, container.id);
      await unless('NotFound', containerd.call(Containers.Delete, { id: container.id }));
    }
    if (containers.length > 0) {
      logger.warn(`removed ${containers.length} containers of a daemon that did not shut down`);
    }
  } catch (error) {
    throw explained(error, 'removing containers that were left');
  }
  unmountBelow(path.join(stateDir, 'bundles'));
  for (const name of ['bundles', 'streams']) {
    await fs.rm(path.join(stateDir, name), { recursive: true, force: true });
  }
}
