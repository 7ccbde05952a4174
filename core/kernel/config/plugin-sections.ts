/** Whether the plugins would take what a configuration says to them, without starting any. */
import { type AnyPlugin, type Plugin, silentLogger } from '../../contracts/index.js';
import { KernelContainer } from '../container.js';
import { PluginHost } from '../plugin-host.js';
import { loadPlugins } from '../plugin-loader.js';
import type { EngineConfig } from './load.js';

export async function checkPluginSections(
  config: EngineConfig,
  builtin: readonly AnyPlugin[],
): Promise<void> {
  await using container = new KernelContainer();
  const own = builtin.map((plugin) => ({ plugin: plugin as Plugin<unknown>, origin: 'builtin' }));
  new PluginHost(container, config, [...own, ...(await loadPlugins(config))], silentLogger).register();
}
