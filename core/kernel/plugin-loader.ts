/** Loads the plugins that a configuration names. Nothing is scanned: what is not named is not loaded. */
import { BuildError, invalid, PLUGIN_API, type Plugin, pluginKinds } from '../contracts/index.js';
import { didYouMean } from '../util/nearest.js';
import { configFolder, type EngineConfig } from './config/load.js';
import { findModule } from './module-path.js';

export interface LoadedPlugin {
  readonly plugin: Plugin<unknown>;
  /** `builtin`, or the module it came from. */
  readonly origin: string;
}

/** A plugin's full name, as configuration and listings write it. */
export const pluginName = (plugin: Pick<Plugin<unknown>, 'kind' | 'id'>): string =>
  `${plugin.kind}.${plugin.id}`;

export async function loadPlugins(config: EngineConfig): Promise<LoadedPlugin[]> {
  const loaded: LoadedPlugin[] = [];
  for (const [index, name] of config.settings.plugins.load.entries()) {
    loaded.push(await loadOne(name, index, config));
  }
  return loaded;
}

async function loadOne(name: string, index: number, config: EngineConfig): Promise<LoadedPlugin> {
  const at = (message: string): BuildError => config.at(['plugins', 'load', index], message);
  const url = findModule(name, configFolder(config));
  if (url === undefined) throw at(`plugin "${name}" was not found from ${configFolder(config)}`);
  const module = await importModule(url, name, at);
  const plugin = module.default ?? module.plugin;
  return { plugin: checkShape(plugin, name, at), origin: url.pathname };
}

async function importModule(
  url: URL,
  name: string,
  at: (message: string) => BuildError,
): Promise<Record<string, unknown>> {
  try {
    return (await import(url.href)) as Record<string, unknown>;
  } catch (cause) {
    const { message } = cause as Error;
    const hint = hintFor(cause as NodeJS.ErrnoException);
    throw new BuildError('plugin.load', at(`plugin "${name}" failed to load: ${message}`).message, {
      grpcCode: 'FailedPrecondition',
      cause,
      ...(hint ? { hint } : {}),
    });
  }
}

function hintFor({ code, message }: NodeJS.ErrnoException): string | undefined {
  switch (code) {
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      if (!/\.[cm]?tsx?"/.test(message)) return undefined;
      return `this Node (${process.version}) does not load TypeScript: name the compiled JavaScript, or use Node 22.18 or newer`;
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return 'Node loads no TypeScript from node_modules: a package must ship JavaScript';
    case 'ERR_MODULE_NOT_FOUND':
      if (!message.includes("package 'buildkit-ts'")) return undefined;
      return "install buildkit-ts where the plugin finds it: it is the plugin's peer dependency";
    default:
      return undefined;
  }
}

function checkShape(value: unknown, name: string, at: (message: string) => BuildError): Plugin<unknown> {
  const plugin = value as Partial<Plugin<unknown>> | undefined;
  if (typeof plugin?.register !== 'function' || typeof plugin.id !== 'string' || !plugin.config) {
    throw at(`"${name}" exports no plugin: its default export must be a definePlugin({ … }) value`);
  }
  if (plugin.api !== PLUGIN_API) {
    throw at(`plugin "${name}" was made for plugin api ${plugin.api}; this is api ${PLUGIN_API}`);
  }
  const kind: string | undefined = plugin.kind;
  if (kind === undefined || !(pluginKinds as readonly string[]).includes(kind)) {
    throw at(`plugin "${name}" is of unknown kind "${kind}"${didYouMean(String(kind), pluginKinds)}`);
  }
  return plugin as Plugin<unknown>;
}

/** Refuses configuration that names plugins nobody has. */
export function checkNames(plugins: readonly LoadedPlugin[], config: EngineConfig): void {
  const known = plugins.map(({ plugin }) => pluginName(plugin));
  const check = (name: string, path: readonly (string | number)[]): void => {
    if (known.includes(name)) return;
    throw config.at(path, `unknown plugin "${name}"${didYouMean(name, known)}`);
  };
  for (const [i, name] of config.settings.plugins.disabled.entries()) check(name, ['plugins', 'disabled', i]);
  for (const [i, name] of config.settings.plugins.required.entries()) check(name, ['plugins', 'required', i]);
  for (const name of config.sections.keys()) {
    const dot = name.indexOf('.');
    check(name, ['plugin', name.slice(0, dot), name.slice(dot + 1)]);
  }
  const seen = new Set<string>();
  for (const { plugin, origin } of plugins) {
    const name = pluginName(plugin);
    if (seen.has(name))
      throw invalid('plugin.duplicate', `plugin ${name} is there twice; the second is ${origin}`);
    seen.add(name);
  }
}
