/** What differs between two configurations, and which of it takes effect without a restart. */
import { gcKeys } from './gc-schema.js';
import type { ConfigFile } from './schema.js';

export interface ConfigChanges {
  /** Keys, sorted; of lists and tables of hosts the whole. */
  readonly applied: readonly string[];
  readonly needRestart: readonly string[];
}

/** First parts of keys that are looked at whenever they are needed. */
const live = ['registry', 'log', 'debug', 'trace', 'shutdown'];

export function configChanges(before: ConfigFile, after: ConfigFile): ConfigChanges {
  const [old, now] = [flatten(before), flatten(after)];
  const changed = [...new Set([...old.keys(), ...now.keys()])]
    .filter((key) => old.get(key) !== now.get(key))
    .sort();
  return {
    applied: changed.filter(isLive),
    needRestart: changed.filter((key) => !isLive(key)),
  };
}

function isLive(key: string): boolean {
  const [first = '', , name = ''] = key.split('.');
  return live.includes(first) || (first === 'worker' && name in gcKeys);
}

/** Values as JSON by dotted key. */
function flatten(value: unknown, path: readonly string[] = []): Map<string, string> {
  // Hosts have dots, and a host's settings belong together.
  const whole = path.length > 1 && path[0] === 'registry';
  if (whole || typeof value !== 'object' || value === null || Array.isArray(value))
    return value === undefined ? new Map() : new Map([[path.join('.'), JSON.stringify(value)]]);
  return new Map(Object.entries(value).flatMap(([key, inner]) => [...flatten(inner, [...path, key])]));
}
