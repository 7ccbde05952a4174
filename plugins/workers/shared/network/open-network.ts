/** Which network steps of the sandbox get. BuildKit: util/network/netproviders. */
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BuildError } from '../../../../core/contracts/errors.js';
import type { Logger } from '../../../../core/contracts/logger.js';
import type { Threads } from '../../../../core/contracts/threads.js';
import { parseGoBool } from '../../../../core/util/go-bool.js';
import { bridgeExists, removeBridge } from '../../../../core/util/linux/bridge.js';
import { bridgeConfig, type CniNetwork, readCniConfig } from './cni/cni-config.js';
import { CniNamespaces } from './cni/cni-namespaces.js';
import { CniPlugins } from './cni/cni-plugin.js';
import { CniProvider } from './cni/cni-provider.js';
import { type NetworkProvider, plainNetwork } from './network-provider.js';

export interface NetworkSettings {
  readonly networkMode: 'auto' | 'host' | 'none' | 'cni' | 'bridge';
  readonly cniConfigPath: string;
  readonly cniBinaryPath: string;
  readonly cniPoolSize: number;
  readonly bridgeName: string;
  readonly bridgeSubnet: string;
}

export interface NetworkParts {
  /** A folder of the worker's own. */
  readonly dir: string;
  readonly threads: Threads;
  readonly logger: Logger;
}

export interface OpenedNetwork extends NetworkProvider {
  /** What the worker's label says. */
  readonly mode: 'host' | 'none' | 'cni';
}

export async function openNetwork(settings: NetworkSettings, parts: NetworkParts): Promise<OpenedNetwork> {
  const mode = settings.networkMode === 'auto' ? await automatic(settings) : settings.networkMode;
  switch (mode) {
    case 'host':
      if (settings.networkMode === 'auto') parts.logger.warn('using host network as the default');
      return { mode, ...plainNetwork('host') };
    case 'none':
      return { mode, ...plainNetwork('new') };
    case 'cni':
      return openCni(await readCniConfig(settings.cniConfigPath), settings, parts);
    case 'bridge':
      return openBridge(settings, parts);
    default:
      return mode satisfies never;
  }
}

async function automatic({ cniConfigPath }: NetworkSettings): Promise<'cni' | 'host' | 'bridge'> {
  if (parseGoBool(process.env.BUILDKIT_NETWORK_BRIDGE_AUTO ?? '') === true) return 'bridge';
  return (await exists(cniConfigPath)) ? 'cni' : 'host';
}

async function openCni(
  network: CniNetwork,
  settings: NetworkSettings,
  parts: NetworkParts,
): Promise<OpenedNetwork> {
  const { cniBinaryPath, cniPoolSize } = settings;
  for (const { type } of [...network.plugins, { type: 'loopback' }]) {
    if (await exists(path.join(cniBinaryPath, type))) continue;
    throw new BuildError('cni.plugin', `there is no CNI plugin ${path.join(cniBinaryPath, type)}`, {
      hint: 'Install the CNI plugins, for example: apt-get install containernetworking-plugins, and say where they are with cniBinaryPath.',
    });
  }
  const namespaces = new CniNamespaces({
    dir: path.join(parts.dir, 'cni'),
    network,
    plugins: new CniPlugins(cniBinaryPath),
    threads: parts.threads,
  });
  for (const err of await namespaces.sweep()) {
    parts.logger.warn('a network of a daemon that did not shut down could not be given back', { err });
  }
  const provider = new CniProvider({ namespaces, poolSize: cniPoolSize, logger: parts.logger });
  await provider.start();
  return {
    mode: 'cni',
    take: (hostname, signal) => provider.take(hostname, signal),
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  };
}

/** A bridge that was not there before goes with the worker, if need be with the next one: it is on record. */
async function openBridge(settings: NetworkSettings, parts: NetworkParts): Promise<OpenedNetwork> {
  const { bridgeName, bridgeSubnet } = settings;
  const record = path.join(parts.dir, 'bridge');
  const ours = !bridgeExists(bridgeName) || (await recorded(record)) === bridgeName;
  if (ours) await writeFile(record, bridgeName);
  const opened = await openCni(bridgeConfig(bridgeName, bridgeSubnet), settings, parts);
  return {
    ...opened,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      if (!ours) return;
      removeBridge(bridgeName);
      await rm(record, { force: true });
    },
  };
}

const recorded = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
