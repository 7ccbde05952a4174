/** `buildkitd config dump` and `config check`. */
import { stringify } from 'smol-toml';
import type { EngineConfig } from '../../core/kernel/config/load.js';
import { checkPluginSections } from '../../core/kernel/config/plugin-sections.js';
import { builtinPlugins } from '../../plugins/index.js';

export interface Defaults {
  readonly root: string;
  readonly address: string;
}

/** What the daemon would run with, flags and defaults included, as TOML. */
export function dumpConfig({ settings }: EngineConfig, defaults: Defaults): string {
  const { root = defaults.root, grpc, ...rest } = settings;
  const address = grpc.address ?? [defaults.address];
  return `${stringify(plain({ root, ...rest, grpc: { ...grpc, address } }))}\n`;
}

/** Throws the first error, also of the sections of plugins. */
export async function checkConfig(config: EngineConfig): Promise<string> {
  await checkPluginSections(config, builtinPlugins);
  return `${config.file ?? 'the default configuration'}: no errors\n`;
}

/** TOML has no `undefined`. */
function plain(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}
