import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { BuildError, invalid, unsupported } from '../../contracts/index.js';
import { type ConfigPath, explain } from './explain.js';
import { lineOfKey } from './locate.js';
import { type ConfigFile, configSchema, keysNotSupportedYet } from './schema.js';
import { type PluginSections, pluginSections } from './sections.js';

/** The configuration as the kernel uses it: BuildKit's sections already mapped to the plugins they configure. */
export interface EngineConfig {
  /** Where it was read from; undefined for the defaults. Relative plugin paths start at its folder. */
  readonly file: string | undefined;
  readonly settings: ConfigFile;
  readonly sections: PluginSections;
  /** Makes the error of a key: file, line, message. */
  at(path: ConfigPath, message: string): BuildError;
}

/** Settings that win over the file's: what command line flags say, in the shape of the file. */
export type Overrides = Readonly<Record<string, unknown>>;

/** Reads a configuration file. A missing file is NotFound; the caller decides whether that matters. */
export async function loadConfig(file: string, overrides: Overrides = {}): Promise<EngineConfig> {
  const path = resolve(file);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new BuildError('config.unreadable', `cannot read ${path}: ${cause.message}`, {
      grpcCode: cause.code === 'ENOENT' ? 'NotFound' : 'FailedPrecondition',
      cause,
    });
  });
  return parseConfig(text, path, overrides);
}

export function parseConfig(text: string, file?: string, overrides: Overrides = {}): EngineConfig {
  const at = (path: ConfigPath, message: string): BuildError => {
    const where = isSet(overrides, path) ? COMMAND_LINE : position(file, lineOfKey(text, path));
    return invalid('config.invalid', `${where}${message}`);
  };
  const raw = merge(parseToml(text, file), overrides);
  refuseUnsupported(raw, at);
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const written = (path: ConfigPath): ConfigPath => path;
    throw explain({ error: parsed.error, schema: configSchema, value: raw, written, at });
  }
  return { file, settings: parsed.data, sections: pluginSections(parsed.data), at };
}

/** The folder that plugin names in the configuration are relative to. */
export const configFolder = (config: EngineConfig): string =>
  config.file ? dirname(config.file) : process.cwd();

function parseToml(text: string, file: string | undefined): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const summary = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
    throw invalid('config.syntax', `${position(file, error.line)}${summary}`, { cause: error });
  }
}

/** Tables merge key by key; everything else is replaced. */
function merge(base: Overrides, over: Overrides): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const before = merged[key];
    merged[key] = isTable(before) && isTable(value) ? merge(before, value) : value;
  }
  return merged;
}

/** What is said of values that {@link Overrides} bring. */
const COMMAND_LINE = 'command line: ';

/** Whether a value at the path, or one that holds it, is there. */
function isSet(overrides: Overrides, path: ConfigPath): boolean {
  let node: unknown = overrides;
  for (const part of path) {
    if (!isTable(node)) break;
    node = node[part];
  }
  return node !== undefined && !isTable(node);
}

const isTable = (value: unknown): value is Overrides =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const position = (file: string | undefined, line: number | undefined): string =>
  `${file ?? 'configuration'}${line === undefined ? '' : `:${line}`}: `;

function refuseUnsupported(raw: Record<string, unknown>, at: EngineConfig['at']): void {
  for (const key of keysNotSupportedYet) {
    const path = key.split('.');
    const value = path.reduce<unknown>(
      (node, part) => (node as Record<string, unknown> | undefined)?.[part],
      raw,
    );
    if (value === undefined || (value as { enabled?: unknown }).enabled === false) continue;
    throw unsupported('config.unsupported', at(path, `"${key}" is known, but not supported yet`).message);
  }
}
