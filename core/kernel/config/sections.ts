/**
 * BuildKit's own sections are spellings of plugin sections, over which an explicit `[plugin.…]` wins key by key. Where
 * each key was written is kept, for errors that its plugin finds.
 */
import type { ConfigPath } from './explain.js';
import { gcKeys, lastingMs } from './gc-schema.js';
import type { ConfigFile } from './schema.js';

/** By `kind.id`. */
export type PluginSections = ReadonlyMap<string, PluginSection>;

export interface PluginSection {
  /** To be parsed by the plugin's own schema. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Where the first part of each path into `values` stands. */
  readonly places: Readonly<Record<string, ConfigPath>>;
}

export function pluginSections(config: ConfigFile): PluginSections {
  const sections = new Map<string, PluginSection>();
  const { oci, containerd } = config.worker;
  for (const [key, id, section] of [
    ['worker.runc', 'oci', oci],
    ['worker.containerd', 'containerd', containerd],
  ] as const) {
    add(sections, key, workerSection(['worker', id], section, config));
  }
  const { allowedRepositories } = config.frontend['gateway.v0'] ?? {};
  add(sections, 'frontend.gateway.v0', [
    ['allowedRepositories', allowedRepositories, ['frontend', 'gateway.v0', 'allowedRepositories']],
  ]);
  for (const [kind, plugins] of Object.entries(config.plugin)) {
    for (const [id, section] of Object.entries(plugins)) {
      const own = Object.entries(section).map(
        ([key, value]) => [key, value, ['plugin', kind, id, key]] as const,
      );
      // A section without keys names its plugin all the same.
      add(sections, `${kind}.${id}`, own, true);
    }
  }
  return sections;
}

/** Where a path into a plugin's section was written. */
export function writtenPath(
  sections: PluginSections,
  kind: string,
  id: string,
  path: ConfigPath,
): ConfigPath {
  const [first, ...rest] = path;
  const place = first === undefined ? undefined : sections.get(`${kind}.${id}`)?.places[first];
  return place ? [...place, ...rest] : ['plugin', kind, id, ...path];
}

type Entry = readonly [key: string, value: unknown, place: ConfigPath];

function add(
  sections: Map<string, PluginSection>,
  name: string,
  entries: readonly Entry[],
  evenEmpty = false,
): void {
  const given = entries.filter(([, value]) => value !== undefined);
  if (given.length === 0 && !evenEmpty) return;
  const before = sections.get(name) ?? { values: {}, places: {} };
  sections.set(name, {
    values: { ...before.values, ...Object.fromEntries(given.map(([key, value]) => [key, value])) },
    places: { ...before.places, ...Object.fromEntries(given.map(([key, , place]) => [key, place])) },
  });
}

const renamed: Readonly<Record<string, string>> = {
  'max-parallelism': 'maxParallelism',
  'apparmor-profile': 'apparmorProfile',
};

/** What the plugin is told: not whether it is wanted, and nothing of garbage collection, which the kernel does. */
function workerSection(table: ConfigPath, section: object | undefined, config: ConfigFile): readonly Entry[] {
  const own = Object.entries(section ?? {})
    .filter(([key]) => key !== 'enabled' && !(key in gcKeys))
    .map(([key, value]): Entry => [renamed[key] ?? key, value, [...table, key]]);
  const maxAge = config.system.platformsCacheMaxAge;
  return [
    ...own,
    ['dns', config.dns, ['dns']],
    [
      'platformsMaxAgeMs',
      maxAge === undefined ? undefined : lastingMs(maxAge),
      ['system', 'platformsCacheMaxAge'],
    ],
  ];
}
