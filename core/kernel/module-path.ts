/**
 * Finds the module that a configuration file means by a plugin's name: a path, or an npm package as Node would
 * find it from the file's folder. Node 20 cannot ask its own resolver on behalf of another folder for ES modules,
 * so packages are looked up here by the rules for their entry point.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The module's URL, or undefined when there is none. */
export function findModule(name: string, folder: string): URL | undefined {
  const path =
    name.startsWith('.') || isAbsolute(name)
      ? entryOfPath(resolve(folder, name))
      : packageEntry(name, folder);
  return path === undefined ? undefined : pathToFileURL(path);
}

function entryOfPath(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  return statSync(path).isDirectory() ? entryOfFolder(path) : path;
}

function packageEntry(name: string, from: string): string | undefined {
  const home = join(from, 'node_modules', name);
  if (existsSync(home)) return entryOfFolder(home);
  const parent = dirname(from);
  return parent === from ? undefined : packageEntry(name, parent);
}

function entryOfFolder(folder: string): string | undefined {
  const manifest = join(folder, 'package.json');
  const { exports, main } = existsSync(manifest)
    ? (JSON.parse(readFileSync(manifest, 'utf8')) as { exports?: unknown; main?: string })
    : {};
  const entry = exportOf(exports) ?? main ?? 'index.js';
  const path = join(folder, entry);
  return existsSync(path) ? path : undefined;
}

/** The target of the `.` export under the conditions of an import in Node. */
function exportOf(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports;
  if (typeof exports !== 'object' || exports === null) return undefined;
  const map = exports as Record<string, unknown>;
  if ('.' in map) return exportOf(map['.']);
  for (const condition of Object.keys(map)) {
    if (['node', 'import', 'default'].includes(condition)) {
      const found = exportOf(map[condition]);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
