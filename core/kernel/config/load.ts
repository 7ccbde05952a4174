import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import type { z } from 'zod';
import { BuildError, invalid, unsupported } from '../../contracts/index.js';
import { didYouMean } from '../../util/nearest.js';
import { gcKeys } from './gc-schema.js';
import { lineOfKey } from './locate.js';
import { type ConfigFile, configSchema, keysNotSupportedYet } from './schema.js';

/** The configuration as the kernel uses it: BuildKit's sections already mapped to the plugins they configure. */
export interface EngineConfig {
  /** Where it was read from; undefined for the defaults. Relative plugin paths start at its folder. */
  readonly file: string | undefined;
  readonly settings: ConfigFile;
  /** By `kind.id`: the raw section, to be parsed by the plugin's own schema. */
  readonly sections: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Makes the error of a key: file, line, message. */
  at(path: readonly (string | number)[], message: string): BuildError;
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
  const at = (path: readonly (string | number)[], message: string): BuildError =>
    invalid('config.invalid', `${position(file, lineOfKey(text, path))}${message}`);
  const raw = merge(parseToml(text, file), overrides);
  refuseUnsupported(raw, at);
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) throw explain(parsed.error, at);
  return { file, settings: parsed.data, sections: sectionsOf(parsed.data), at };
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

/** The first issue of a zod error as one sentence with its place and, for a typo, the nearest key. */
export function explain(
  error: z.ZodError,
  at: EngineConfig['at'],
  schema: z.ZodType = configSchema,
  prefix: readonly string[] = [],
): BuildError {
  const issue = error.issues[0]!;
  const inner = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  const path = [...prefix, ...inner];
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const full = [...path, key];
    return at(full, `unknown key "${full.join('.')}"${didYouMean(key, keysAt(schema, inner))}`);
  }
  return at(path, `"${path.join('.')}": ${issue.message}`);
}

/** The keys that a schema knows at a path. */
function keysAt(schema: z.ZodType, path: readonly (string | number)[]): string[] {
  let node: unknown = schema;
  for (const part of path) {
    node = unwrap(node);
    const { shape, valueType } = node as { shape?: Record<string, unknown>; valueType?: unknown };
    node = shape?.[part] ?? valueType;
  }
  return Object.keys((unwrap(node) as { shape?: object } | undefined)?.shape ?? {});
}

/** Strips `default`, `optional` and `prefault` wrappers. */
function unwrap(schema: unknown): unknown {
  let node = schema as { unwrap?: () => unknown } | undefined;
  while (node && typeof node.unwrap === 'function') node = node.unwrap() as typeof node;
  return node;
}

/** BuildKit's own sections are spellings of plugin sections; an explicit `[plugin.…]` wins key by key. */
function sectionsOf(config: ConfigFile): Map<string, Record<string, unknown>> {
  const sections = new Map<string, Record<string, unknown>>();
  const { oci, containerd } = config.worker;
  for (const [key, section] of Object.entries({ 'worker.runc': oci, 'worker.containerd': containerd })) {
    const worker = workerSection(section, config.dns);
    if (Object.keys(worker).length > 0) sections.set(key, worker);
  }
  const { allowedRepositories } = config.frontend['gateway.v0'] ?? {};
  if (allowedRepositories) sections.set('frontend.gateway.v0', { allowedRepositories });
  for (const [kind, plugins] of Object.entries(config.plugin)) {
    for (const [id, section] of Object.entries(plugins)) {
      const key = `${kind}.${id}`;
      sections.set(key, { ...sections.get(key), ...section });
    }
  }
  return sections;
}

/** What the plugin is told: not whether it is wanted, and nothing of garbage collection, which the kernel does. */
function workerSection(section: object | undefined, dns: ConfigFile['dns']): Record<string, unknown> {
  const renamed = rename(section, {
    'max-parallelism': 'maxParallelism',
    'apparmor-profile': 'apparmorProfile',
  });
  for (const key of ['enabled', ...Object.keys(gcKeys)]) delete renamed[key];
  return { ...renamed, ...(dns ? { dns } : {}) };
}

const rename = (
  section: object | undefined,
  names: Readonly<Record<string, string>>,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(section ?? {})
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [names[key] ?? key, value]),
  );
