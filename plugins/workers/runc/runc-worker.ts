/** Everything of this worker that is made when the daemon starts, and goes when it stops. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Logger } from '../../../core/contracts/logger.js';
import { SkipPlugin, type Startable } from '../../../core/contracts/plugin.js';
import type { Threads } from '../../../core/contracts/threads.js';
import type { WorkerProfile } from '../../../core/contracts/worker.js';
import { currentPerson, defaultPaths } from '../../../core/util/default-paths.js';
import { DisposeStack } from '../../../core/util/dispose.js';
import { type Platform, parsePlatform } from '../../../core/util/platform.js';
import { checkAppArmor } from '../shared/apparmor.js';
import { cgroupLayout, usableCgroups } from '../shared/cgroup/cgroup-layout.js';
import { ContainerHost } from '../shared/container-host/container-host.js';
import { HostedExecutor } from '../shared/container-host/hosted-executor.js';
import { sweepContainers } from '../shared/container-host/owned-containers.js';
import type { HostSettings } from '../shared/container-host/protocol.js';
import { type NetworkSettings, type OpenedNetwork, openNetwork } from '../shared/network/open-network.js';
import { HostPlatforms } from '../shared/platforms/host-platforms.js';
import { FUSE_OVERLAYFS } from '../shared/snapshotters/fuse-overlay-snapshotter.js';
import { findFuseOverlayfs } from '../shared/snapshotters/fuse-probe.js';
import { persistentId } from '../shared/worker-id.js';
import type { RuncConfig } from './config.js';
import type { LateSnapshotter } from './late-snapshotter.js';
import { openHost } from './open-host.js';
import { isRootless } from './rootless.js';

const LABEL = 'org.mobyproject.buildkit.worker.';

export interface RuncWorkerParts {
  /** This worker's folder. */
  readonly dir: string;
  readonly config: RuncConfig;
  readonly threads: Threads;
  readonly logger: Logger;
  /** Opened with the worker. */
  readonly snapshotter: LateSnapshotter;
}

export class RuncWorker implements Startable, AsyncDisposable {
  readonly executor: HostedExecutor;
  readonly profile: WorkerProfile;
  readonly #parts: RuncWorkerParts;
  readonly #owned = new DisposeStack();
  #settings: HostSettings | undefined;
  #host: Promise<ContainerHost> | undefined;
  #id: string | undefined;
  #platforms: HostPlatforms | undefined;
  #network: OpenedNetwork | undefined;

  constructor(parts: RuncWorkerParts) {
    this.#parts = parts;
    const { config } = parts;
    this.executor = new HostedExecutor({
      host: () => this.#openHost(),
      machine: () => required(this.#platforms).list(),
      sandboxNetwork: () => required(this.#network),
      defaultCgroupParent: config.defaultCgroupParent,
      maxParallelism: config.maxParallelism,
    });
    this.profile = profileOf({
      id: () => required(this.#id),
      labels: () => labels(config, parts.snapshotter.name, required(this.#network).mode),
      platforms: () => this.#listPlatforms(),
      maxParallelism: config.maxParallelism,
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    const { dir, config, threads, logger } = this.#parts;
    if (process.platform !== 'linux') throw new SkipPlugin('OCI runtimes run on Linux only');
    const rootless = isRootless(config);
    await checkAppArmor(config.apparmorProfile);
    const stateDir = path.join(dir, 'executor');
    await fs.mkdir(stateDir, { recursive: true, mode: 0o700 });
    this.#id = await persistentId(dir);
    await sweep(stateDir, rootless, logger);
    // Owned before what uses it, and so given up after that.
    this.#network = await this.#owned.use(
      await openNetwork(networkOf(config, rootless), { dir: stateDir, threads, logger }),
    );
    const settings = this.#openLayers().then((fuseOverlayfs) => ({
      stateDir,
      fuseOverlayfs,
      dns: config.dns,
      apparmorProfile: config.apparmorProfile || undefined,
      rootless,
      processSandbox: !config.noProcessSandbox,
    }));
    const [opened, platforms, known] = await Promise.all([
      openHost(
        { binary: config.binary, cgroupParent: config.defaultCgroupParent, settings, threads, logger },
        signal,
      ),
      HostPlatforms.detect(stateDir, config.platformsMaxAgeMs),
      settings,
    ]);
    this.#platforms = platforms;
    this.#settings = { ...known, runtime: opened.runtime };
    await this.#owned.use(opened.host);
    this.#host = Promise.resolve(opened.host);
    logger.info(`steps are run with ${opened.runtime.path}${rootless ? ', rootless' : ''}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned[Symbol.asyncDispose]();
  }

  /** Answers the program that mounts layers, if the kernel does not. */
  async #openLayers(): Promise<string | undefined> {
    const { snapshotter } = this.#parts;
    await snapshotter.open();
    return snapshotter.name === FUSE_OVERLAYFS ? findFuseOverlayfs() : undefined;
  }

  /** The host, or a new one in the place of one that died. */
  async #openHost(): Promise<ContainerHost> {
    const opened = required(this.#host);
    const host = await opened;
    if (!host.dead || this.#owned.disposed) return host;
    // All steps that wait here learn of it at once; the first one sees to it.
    if (this.#host === opened) this.#host = this.#replace(opened);
    return required(this.#host);
  }

  /** Should it fail, the next step tries again. */
  async #replace(dead: Promise<ContainerHost>): Promise<ContainerHost> {
    const { threads, logger } = this.#parts;
    logger.error('the thread that runs containers died; starting another one');
    try {
      return await this.#owned.use(await ContainerHost.open(required(this.#settings), threads, logger));
    } catch (error) {
      this.#host = dead;
      throw error;
    }
  }

  #listPlatforms(): readonly Platform[] {
    const { platforms } = this.#parts.config;
    return platforms.length > 0 ? platforms.map(parsePlatform) : required(this.#platforms).list();
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the runc worker has not been started');
  return value;
}

/** What root has configured for the machine is not for the network of a user. */
const networkOf = (config: RuncConfig, rootless: boolean): NetworkSettings => ({
  ...config,
  cniConfigPath: config.cniConfigPath ?? defaultPaths(currentPerson(), rootless).cniConfig,
});

interface ProfileParts {
  readonly id: () => string;
  readonly labels: () => WorkerProfile['labels'];
  readonly platforms: () => readonly Platform[];
  readonly maxParallelism: number;
}

/** Bound before the worker starts, complete when it has; platforms change while emulators come and go. */
const profileOf = (parts: ProfileParts): WorkerProfile => ({
  get id() {
    return parts.id();
  },
  get labels() {
    return parts.labels();
  },
  get platforms() {
    return parts.platforms();
  },
  maxParallelism: parts.maxParallelism,
});

/** BuildKit: worker/label/label.go. */
const labels = (
  config: RuncConfig,
  snapshotter: string,
  network: OpenedNetwork['mode'],
): WorkerProfile['labels'] => ({
  [`${LABEL}executor`]: 'oci',
  [`${LABEL}snapshotter`]: snapshotter,
  [`${LABEL}hostname`]: os.hostname(),
  [`${LABEL}network`]: network,
  [`${LABEL}oci.process-mode`]: config.noProcessSandbox ? 'no-sandbox' : 'sandbox',
  [`${LABEL}selinux.enabled`]: 'false',
  ...(config.apparmorProfile ? { [`${LABEL}apparmor.profile`]: config.apparmorProfile } : {}),
  ...config.labels,
});

/** Containers and mount points that a daemon on this folder left when it was killed. */
async function sweep(stateDir: string, rootless: boolean, logger: Logger): Promise<void> {
  const cgroups = rootless ? usableCgroups(cgroupLayout()) : cgroupLayout();
  const count = await sweepContainers(stateDir, cgroups);
  if (count > 0) logger.warn(`removed ${count} containers of a daemon that did not shut down`);
  const stale = (await fs.readdir(stateDir)).filter(
    (name) => name.startsWith('run-') || name.startsWith('exit-'),
  );
  // Mounts were in the dead daemon's own namespace: these are empty here.
  await Promise.all(stale.map((name) => fs.rm(path.join(stateDir, name), { recursive: true, force: true })));
}
