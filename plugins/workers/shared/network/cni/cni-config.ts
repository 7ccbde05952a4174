/** Network configurations of CNI: which plugins make a network, in their order. CNI: SPEC.md, section 1. */
import { readFile } from 'node:fs/promises';
import { invalid } from '../../../../../core/contracts/errors.js';

export interface CniNetwork {
  readonly name: string;
  readonly cniVersion: string;
  /** The interface in the container. */
  readonly ifName: string;
  readonly plugins: readonly CniPluginConfig[];
}
export interface CniPluginConfig {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Every container's loopback comes from a plugin, too. */
export const loopback: CniNetwork = {
  name: 'cni-loopback',
  cniVersion: '0.3.1',
  ifName: 'lo',
  plugins: [{ type: 'loopback' }],
};

/** A list of plugins (`.conflist`), or the configuration of one. */
export async function readCniConfig(file: string): Promise<CniNetwork> {
  const config = parse(
    file,
    await readFile(file, 'utf8').catch((cause: Error) => refuse(file, cause.message, cause)),
  );
  const { plugins, name, cniVersion } = config;
  if (typeof name !== 'string' || name === '') refuse(file, 'it has no name');
  const list = file.endsWith('.conflist') ? plugins : [config];
  if (!Array.isArray(list) || list.length === 0) refuse(file, 'it has no list of plugins');
  const wrong = list.findIndex((plugin) => typeof (plugin as { type?: unknown } | null)?.type !== 'string');
  if (wrong >= 0) refuse(file, `plugin ${wrong} has no type`);
  return {
    name,
    cniVersion: typeof cniVersion === 'string' ? cniVersion : '0.1.0',
    ifName: 'eth0',
    plugins: list as CniPluginConfig[],
  };
}

/** BuildKit: util/network/cniprovider/bridge.go. */
export const bridgeConfig = (bridge: string, subnet: string): CniNetwork => ({
  name: 'buildkit',
  cniVersion: '1.0.0',
  ifName: 'eth0',
  plugins: [
    {
      type: 'bridge',
      bridge,
      isDefaultGateway: true,
      ipMasq: true,
      ipam: { type: 'host-local', ranges: [[{ subnet }]] },
    },
    { type: 'firewall', backend: '', ingressPolicy: 'same-bridge' },
  ],
});

function parse(file: string, text: string): Record<string, unknown> {
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === 'object' && config !== null) return config as Record<string, unknown>;
  } catch (cause) {
    refuse(file, (cause as Error).message, cause);
  }
  return refuse(file, 'it is no JSON object');
}

function refuse(file: string, why: string, cause?: unknown): never {
  throw invalid('cni.config', `failed to read cni config "${file}": ${why}`, { cause });
}
