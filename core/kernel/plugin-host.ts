/**
 * Takes plugins from configuration to running: parse config, register, build, start, each step only for those
 * that came through the one before. What a plugin fails at is kept as its state; only a `required` plugin and
 * errors of configuration stop the engine.
 */
import type { z } from 'zod';
import { type Logger, type PluginState, type PluginStatus, SkipPlugin } from '../contracts/index.js';
import { type ConfigPath, explain } from './config/explain.js';
import type { EngineConfig } from './config/load.js';
import { writtenPath } from './config/sections.js';
import type { KernelContainer } from './container.js';
import { checkNames, type LoadedPlugin, pluginName } from './plugin-loader.js';

export class PluginHost {
  readonly #container: KernelContainer;
  readonly #config: EngineConfig;
  readonly #logger: Logger;
  readonly #plugins: readonly LoadedPlugin[];
  readonly #states = new Map<string, PluginState>();

  constructor(
    container: KernelContainer,
    config: EngineConfig,
    plugins: readonly LoadedPlugin[],
    logger: Logger,
  ) {
    this.#container = container;
    this.#config = config;
    this.#plugins = plugins;
    this.#logger = logger;
  }

  /** Parses configuration and binds. Does no I/O. */
  register(): void {
    checkNames(this.#plugins, this.#config);
    for (const { plugin } of this.#plugins) {
      const name = pluginName(plugin);
      if (this.#disabled(name)) this.#states.set(name, { state: 'disabled' });
      else {
        const config = this.#parse(name, plugin.config);
        this.#attempt(name, () => plugin.register(this.#container.binder(name), config));
      }
    }
  }

  /** Builds and starts every plugin that is still well. */
  async start(signal: AbortSignal): Promise<void> {
    for (const name of this.#well()) this.#attempt(name, () => this.#container.instantiate(name));
    for (const name of this.#well()) {
      try {
        await this.#container.start(name, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#fall(name, error);
      }
    }
  }

  statuses(): PluginStatus[] {
    return this.#plugins.map(({ plugin, origin }) => ({
      kind: plugin.kind,
      id: plugin.id,
      origin,
      status: this.#states.get(pluginName(plugin)) ?? { state: 'ok' },
    }));
  }

  #well(): string[] {
    return this.#plugins.map(({ plugin }) => pluginName(plugin)).filter((name) => !this.#states.has(name));
  }

  #disabled(name: string): boolean {
    const { plugins, worker, frontend } = this.#config.settings;
    if (plugins.disabled.includes(name)) return true;
    const { 'dockerfile.v0': dockerfile, 'gateway.v0': gateway } = frontend;
    const sections = {
      'worker.runc': worker.oci,
      'worker.containerd': worker.containerd,
      'frontend.dockerfile.v0': dockerfile,
      'frontend.gateway.v0': gateway,
    };
    return sections[name as keyof typeof sections]?.enabled === false;
  }

  #parse(name: string, schema: z.ZodType): unknown {
    const { sections, at } = this.#config;
    const value = sections.get(name)?.values ?? {};
    const parsed = strict(schema).safeParse(value);
    if (parsed.success) return parsed.data;
    const [kind, id] = splitName(name);
    const written = (path: ConfigPath): ConfigPath => writtenPath(sections, kind, id, path);
    throw explain({ error: parsed.error, schema, value, written, at });
  }

  #attempt(name: string, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fall(name, error);
    }
  }

  #fall(name: string, error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#container.exclude(name);
    if (cause instanceof SkipPlugin) {
      this.#states.set(name, { state: 'skipped', reason: cause.message });
      this.#logger.info(`plugin ${name} skipped: ${cause.message}`);
    } else {
      this.#states.set(name, { state: 'failed', error: cause });
      this.#logger.warn(`plugin ${name} failed: ${cause.message}`, { err: cause });
    }
    const where = this.#requirement(name);
    if (where) throw this.#config.at(where, `required plugin ${name} is not there: ${cause.message}`);
  }

  /** Where the configuration says that it cannot do without. */
  #requirement(name: string): readonly (string | number)[] | undefined {
    const { plugins, worker } = this.#config.settings;
    const index = plugins.required.indexOf(name);
    if (index >= 0) return ['plugins', 'required', index];
    const keys: Readonly<Record<string, 'oci' | 'containerd' | undefined>> = {
      'worker.runc': 'oci',
      'worker.containerd': 'containerd',
    };
    const key = keys[name];
    return key && worker[key]?.enabled === true ? ['worker', key, 'enabled'] : undefined;
  }
}

/** Makes an object schema refuse unknown keys, whichever copy of zod it comes from. */
function strict(schema: z.ZodType): z.ZodType {
  const { strict: makeStrict } = schema as { strict?: () => z.ZodType };
  return typeof makeStrict === 'function' ? makeStrict.call(schema) : schema;
}

const splitName = (name: string): [kind: string, id: string] => {
  const dot = name.indexOf('.');
  return [name.slice(0, dot), name.slice(dot + 1)];
};
