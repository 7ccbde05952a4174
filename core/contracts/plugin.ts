import type { ZodType } from 'zod';
import type { Token, TokenValue } from './token.js';

/** The contract generation. A plugin of another generation is refused at start with a clear error. */
export const PLUGIN_API = 1;

export const pluginKinds = ['frontend', 'worker', 'exporter', 'cache', 'source', 'tracing'] as const;
export type PluginKind = (typeof pluginKinds)[number];

/**
 * A plugin is one exported value. Registering does no I/O; its config is parsed by its own schema before
 * `register` sees it; what it binds is built lazily by the kernel.
 *
 * ```ts
 * export default definePlugin({
 *   kind: 'exporter',
 *   id: 'local',
 *   api: PLUGIN_API,
 *   config: z.object({ parallelFiles: z.int().min(1).default(8).describe('files sent at once') }),
 *   register(bind, config) {
 *     bind(Exporters.named('local')).toFactory([Tracing], (tracing) => new LocalExporter(tracing, config));
 *   },
 * });
 * ```
 *
 * Life cycle: discover, parse config, `register`, then each bound value is built when first asked for,
 * `start`ed once (see {@link Startable}), and disposed in reverse order of creation at shutdown.
 */
export interface Plugin<Config> {
  readonly kind: PluginKind;
  /** Unique within its kind: `dockerfile.v0`, `runc`, `registry`. */
  readonly id: string;
  readonly api: number;
  /** Parses `[plugin.<kind>.<id>]`; its defaults and descriptions are the plugin's reference page. */
  readonly config: ZodType<Config>;
  /** Synchronous and free of I/O. May throw {@link SkipPlugin}. */
  register(bind: Binder, config: Config): void;
}

/** A plugin whose settings only it knows: what a list of plugins is made of. */
export type AnyPlugin = Omit<Plugin<never>, 'config'> & { readonly config: ZodType };

export const definePlugin = <Config>(plugin: Plugin<Config>): Plugin<Config> => plugin;

/** `bind(token)` starts a binding in the root container. Binding a token twice is an error naming both plugins. */
export type Binder = <T>(token: Token<T>) => Binding<T>;

export interface Binding<T> {
  /**
   * Builds the singleton from other tokens; the parameters of `make` are typed by the tuple. What it makes is
   * started (see {@link Startable}) and disposed by the kernel.
   */
  toFactory<const Deps extends readonly Token<unknown>[]>(
    deps: Deps,
    make: (...args: Resolved<Deps>) => T,
  ): void;
  /** The value stays yours: it is neither started nor disposed. */
  toValue(value: T): void;
}

export type Resolved<Deps extends readonly Token<unknown>[]> = {
  -readonly [K in keyof Deps]: TokenValue<Deps[K]>;
};

/**
 * A bound value with this method is started before the engine answers, in dependency order.
 * Throwing {@link SkipPlugin} marks its plugin `skipped`, any other error `failed`.
 */
export interface Startable {
  start(signal: AbortSignal): Promise<void>;
}

const skipBrand: unique symbol = Symbol.for('buildkit/SkipPlugin');

/** Thrown by `register` or `start`: this plugin does not apply here, and that is no failure. */
export class SkipPlugin extends Error {
  override readonly name = 'SkipPlugin';
  readonly [skipBrand] = true;
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && skipBrand in value;
  }
}

export type PluginState =
  | { readonly state: 'ok' }
  | { readonly state: 'disabled' }
  | { readonly state: 'skipped'; readonly reason: string }
  | { readonly state: 'failed'; readonly error: Error };

/** One row of `buildctl debug plugins`. */
export interface PluginStatus {
  readonly kind: PluginKind;
  readonly id: string;
  /** `builtin`, or where a third-party plugin was loaded from. */
  readonly origin: string;
  readonly status: PluginState;
}
